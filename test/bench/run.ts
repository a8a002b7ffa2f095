import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { OperatorError } from '../../src/errors.ts';
import { attacks } from './attacks.ts';
import { dump } from './dump.ts';
import { edits } from './edits.ts';
import { flush } from './flush.ts';
import type { Figure } from './figure.ts';
import { disconnect } from './http-client.ts';
import { kill } from './kill.ts';
import { lostResponses } from './lost-responses.ts';
import { queries } from './queries.ts';
import { races } from './races.ts';
import { refusals } from './refusals.ts';
import { report } from './report.ts';
import { revocation } from './revocation.ts';
import { createScope } from './scope.ts';
import { start } from './start.ts';

// npm run bench -- <figure>: measures what BENCHMARKS.md publishes, on servers and a database of its own.

const FIGURES: readonly Figure[] = [
  races,
  kill,
  lostResponses,
  revocation,
  queries,
  flush,
  attacks,
  edits,
  dump,
  refusals,
  start,
];

const EXIT_MISSED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

const program = new Command('npm run bench --')
  .description('Measures a published figure on server processes and a PostgreSQL of its own.')
  .argument('<figures...>', 'names of figures, or `all`', collectFigures)
  .option('--rounds <number>', 'fewer or more rounds than are published', parseRounds)
  .exitOverride()
  .showHelpAfterError('(--help tells more)')
  .addHelpText(
    'after',
    `\nFigures, with their rounds and how long they take on two cores:\n${list()}`,
  )
  .addHelpText(
    'after',
    '\nThe PostgreSQL binaries are those in POSTGRES_BIN (default /usr/lib/postgresql/15/bin).\n' +
      'Exit codes: 0 all goals met, 1 a goal missed or the run failed, 2 wrong usage.',
  );

function list(): string {
  return FIGURES.map(({ name, summary, rounds, expectedSeconds }) => {
    const scale = `${rounds.toLocaleString('en')}, ${expectedSeconds} s`;
    return `  ${name.padEnd(15)} ${scale.padEnd(14)} ${summary}`;
  }).join('\n');
}

function collectFigures(name: string, chosen: Figure[] = []): Figure[] {
  if (name === 'all') return [...FIGURES];
  const figure = FIGURES.find((one) => one.name === name);
  if (!figure) throw new InvalidArgumentError('There is no such figure.');
  return [...chosen, figure];
}

function parseRounds(text: string): number {
  const rounds = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (rounds < 1) throw new InvalidArgumentError('It must be a positive integer.');
  return rounds;
}

/** Whether all goals were met. */
async function measure(figure: Figure, rounds = figure.rounds): Promise<boolean> {
  const scope = createScope();
  const interrupt = (): void => {
    // Asked a second time it leaves at once, and `exit` ends what still runs.
    process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED));
    process.exitCode = EXIT_INTERRUPTED;
    void scope.close().finally(() => process.exit());
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const start = performance.now();
  try {
    const findings = await figure.run(rounds, scope);
    const seconds = (performance.now() - start) / 1000;
    console.log(`${report(figure, findings, { rounds, seconds })}\n`);
    return findings.every(({ isMet }) => isMet !== false);
  } finally {
    disconnect();
    await scope.close();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

try {
  await program.parseAsync();
  const [figures] = program.processedArgs as [Figure[]]; // of collectFigures
  for (const figure of figures) {
    const isMet = await measure(figure, program.opts<{ rounds?: number }>().rounds);
    if (!isMet) process.exitCode = EXIT_MISSED;
  }
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said it already.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else if (process.exitCode !== EXIT_INTERRUPTED) {
    console.error(error instanceof OperatorError ? error.message : error);
    process.exitCode = EXIT_MISSED;
  }
}
