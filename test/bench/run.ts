import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { OperatorError } from '../../src/errors.ts';
import { attacks } from './attacks.ts';
import { dump } from './dump.ts';
import { edits } from './edits.ts';
import { flush } from './flush.ts';
import type { Figure, Finding, Outcome } from './figure.ts';
import { disconnect } from './http-client.ts';
import { kill } from './kill.ts';
import { lostResponses } from './lost-responses.ts';
import { memory } from './memory.ts';
import { publish } from './publish.ts';
import { queries } from './queries.ts';
import { races } from './races.ts';
import { refusals } from './refusals.ts';
import { report } from './report.ts';
import { revocation } from './revocation.ts';
import { scale } from './scale.ts';
import { embedded } from '../faults/embedded.ts';
import { pool } from '../faults/pool.ts';
import { restarts } from '../faults/restarts.ts';
import { rolling } from '../faults/rolling.ts';
import { slow } from '../faults/slow.ts';
import { spray } from '../faults/spray.ts';
import { createScope } from './scope.ts';
import { speed } from './speed.ts';
import { start } from './start.ts';

// npm run bench: measures speed and memory, and writes them into BENCHMARKS.md and BENCHMARKS.svg.
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
  speed,
  memory,
  start,
  scale,
  restarts,
  rolling,
  spray,
  slow,
  embedded,
  pool,
];

// Without arguments: what a change of the code moves, written where it is published, the last one first.
const PUBLISHED: readonly Figure[] = [memory, speed];

const EXIT_MISSED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

const program = new Command('npm run bench --')
  .description('Measures a published figure on server processes and a PostgreSQL of its own.')
  .argument(
    '[figures...]',
    'names of figures, or `all`; without any: speed and memory, with --write',
    collectFigures,
  )
  .option('--rounds <number>', 'fewer or more rounds than are published', parseRounds)
  .option('--only <parts>', 'parts of a figure, as in `--only page,verify`', (text) =>
    text.split(','),
  )
  .option(
    '--counts-only',
    'fail where a count misses its goal, not a time: for a machine that is busy',
  )
  .option('--write', 'put the report into BENCHMARKS.md, and its chart beside it')
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
  return FIGURES.map(({ name, summary, rounds, expectedSeconds, parts }) => {
    const scale = `${rounds.toLocaleString('en')}, ${expectedSeconds} s`;
    const partly = parts ? ` (--only ${parts.join(',')})` : '';
    return `  ${name.padEnd(15)} ${scale.padEnd(16)} ${summary}${partly}`;
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

interface Options {
  rounds?: number;
  only?: string[];
  write?: true;
  countsOnly?: true;
}

/** Whether all goals were met. */
async function measure(
  figure: Figure,
  { rounds = figure.rounds, only, write, countsOnly }: Options,
): Promise<boolean> {
  const parts = partsOf(figure, only);
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
    const outcome = wholeOutcome(await figure.run(rounds, scope, parts));
    const seconds = (performance.now() - start) / 1000;
    const section = report(figure, outcome, { rounds, parts, seconds });
    console.log(`${section}\n`);
    if (write) await publish(figure, section, outcome.chart);
    return outcome.findings.every(
      ({ isMet, ofMachine }) => isMet !== false || (countsOnly && ofMachine),
    );
  } finally {
    disconnect();
    await scope.close();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function wholeOutcome(outcome: Finding[] | Outcome): Outcome {
  return Array.isArray(outcome) ? { findings: outcome, tables: [] } : outcome;
}

function partsOf({ name, parts = [] }: Figure, only: readonly string[] = []): readonly string[] {
  const unknown = only.filter((part) => !parts.includes(part));
  if (unknown.length > 0)
    throw new OperatorError(
      `${name} has no part ${unknown.join(', ')}; it has ${parts.join(', ') || 'none'}.`,
    );
  return only;
}

try {
  await program.parseAsync();
  const [named] = program.processedArgs as [Figure[] | undefined]; // of collectFigures
  const options = program.opts<Options>();
  const figures = named ?? PUBLISHED;
  for (const figure of figures) {
    const isMet = await measure(figure, named ? options : { ...options, write: true });
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
