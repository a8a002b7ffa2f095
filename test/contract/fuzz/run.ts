import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { randomSecret } from '../../../src/secrets.ts';
import { createScope } from '../../bench/scope.ts';
import { startService } from '../service.ts';
import { findingsOf } from './findings.ts';
import { fuzz, RUNS, SCHEMATHESIS } from './fuzzer.ts';
import type { Fuzzed, Fuzzing, Run } from './fuzzer.ts';
import { report } from './report.ts';

// npm run fuzz: requests made up from the contract, until something breaks it.

const EXIT_FOUND = 1;
const EXIT_USAGE = 2;

interface Options {
  url?: string;
  minutes?: number;
  examples: number;
  seed: number;
  run: string[];
}

const NAMES = RUNS.map(({ name }) => name);

const program = new Command('npm run fuzz --')
  .description('Sends requests made up from the contract, and holds each answer against it.')
  .option('--url <url>', 'a service that runs; without it, one of its own on a fresh database')
  .option('--minutes <number>', 'go on with new requests for so long', positive)
  .option('--examples <number>', 'requests made up for each operation and phase', positive, 100)
  .option('--seed <number>', 'what decides them', positive, Math.ceil(Math.random() * 1e9))
  .addOption(new Option('--run <names...>', 'these runs alone').choices(NAMES).default(NAMES))
  .addHelpText(
    'after',
    '\nWith --url, FUZZ_USERNAME and FUZZ_PASSWORD are those of a member of its staff, FUZZ_CLIENT_SECRET is its\n' +
      'INTROSPECTION_CLIENT_SECRET (without it, clientBasic is left out). It makes accounts and products there.\n' +
      'The report goes to standard output, in Markdown. Exit codes: 0 nothing found, 1 something found, 2 wrong usage.',
  )
  .exitOverride()
  .showHelpAfterError('(--help tells more)');

function positive(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw new InvalidArgumentError('It must be a positive integer.');
  return value;
}

type Target = Pick<Fuzzing, 'origin' | 'username' | 'password' | 'clientSecret'>;

function running(url: string): Target {
  const { FUZZ_USERNAME: username, FUZZ_PASSWORD: password, FUZZ_CLIENT_SECRET } = process.env;
  if (!username || !password)
    return program.error('error: --url needs FUZZ_USERNAME and FUZZ_PASSWORD');
  return {
    origin: url.replace(/\/$/, ''),
    username,
    password,
    clientSecret: FUZZ_CLIENT_SECRET ?? '',
  };
}

const scope = createScope();

async function ofItsOwn(): Promise<Target> {
  const target = { username: 'staff', password: randomSecret(), clientSecret: randomSecret() };
  const { origin } = await startService(
    { INTROSPECTION_CLIENT_SECRET: target.clientSecret },
    { password: target.password, staff: ['staff'], users: [], products: 60 },
    scope,
  );
  return { origin, ...target };
}

async function runAll({ url, minutes, examples, seed, run: names }: Options): Promise<Fuzzed[]> {
  const target = url === undefined ? await ofItsOwn() : running(url);
  const isPossible = (run: Run): boolean =>
    run.scheme !== 'clientBasic' || target.clientSecret !== '';
  const chosen = RUNS.filter((run) => names.includes(run.name) && isPossible(run));
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const fuzzed: Fuzzed[] = [];
  // Ctrl-C is heard by Schemathesis as well, which ends its run and reports it.
  let isInterrupted = false;
  process.on('SIGINT', () => (isInterrupted = true));
  for (const run of chosen) {
    if (isInterrupted) break;
    const seconds = minutes && Math.ceil((minutes * 60 * run.share) / shares);
    fuzzed.push(await fuzz({ ...target, run, seed, examples, seconds, output: 2 }));
  }
  return fuzzed;
}

try {
  program.parse();
  if (SCHEMATHESIS === undefined)
    program.error('error: Schemathesis is not there: npm run setup:tools', {
      exitCode: EXIT_USAGE,
    });
  const options = program.opts<Options>();
  const runs = await runAll(options);
  const budget = options.minutes
    ? `${options.minutes} minutes`
    : `${options.examples} examples for each operation and phase`;
  console.log(report(runs, budget));
  if (findingsOf(runs).length > 0) process.exitCode = EXIT_FOUND;
} catch (error) {
  if (!(error instanceof CommanderError)) console.error(error);
  const isHelp = error instanceof CommanderError && error.exitCode === 0;
  process.exitCode = isHelp ? 0 : error instanceof CommanderError ? EXIT_USAGE : EXIT_FOUND;
} finally {
  await scope.close();
}
