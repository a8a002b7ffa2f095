import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const VENV = path.join(import.meta.dirname, '../../../.venv');
const BINARIES = ['bin/schemathesis', 'Scripts/schemathesis.exe'];

/** Schemathesis as `npm run setup:tools` installs it; undefined where that was not done. */
export const SCHEMATHESIS = BINARIES.map((name) => path.join(VENV, name)).find(existsSync);

/** A run of Schemathesis: what calls, and what is called, where that is not all. */
export interface Run {
  name: string;
  scheme: 'tokenAuth' | 'bearerJWT' | 'clientBasic';
  operations?: string[];
  phases?: string[];
  /** Of the time, where there is a limit. */
  share: number;
}

export const RUNS: readonly Run[] = [
  { name: 'tokenAuth', scheme: 'tokenAuth', share: 0.4 },
  { name: 'bearerJWT', scheme: 'bearerJWT', share: 0.4 },
  {
    name: 'clientBasic',
    scheme: 'clientBasic',
    operations: ['introspectToken'],
    phases: ['examples', 'coverage', 'fuzzing'],
    share: 0.05,
  },
  // Among all operations those that belong together are seldom called in a row.
  linksOf('logins', [
    ...['registerUser', 'login', 'refreshToken', 'blacklistToken', 'verifyToken'],
    ...['obtainSlidingToken', 'refreshSlidingToken'],
  ]),
  linksOf('tokens', [
    ...['registerUser', 'obtainAuthToken', 'rotateAuthToken', 'introspectToken', 'revokeToken'],
    ...['listSessions', 'endSession'],
  ]),
  linksOf('products', [
    ...['listProducts', 'createProduct', 'retrieveProduct'],
    ...['updateProduct', 'partialUpdateProduct', 'destroyProduct'],
  ]),
];

function linksOf(what: string, operations: string[]): Run {
  return {
    name: `links of ${what}`,
    scheme: 'bearerJWT',
    operations,
    phases: ['stateful'],
    share: 0.05,
  };
}

export interface Fuzzing {
  origin: string;
  run: Run;
  /** A user of the staff. */
  username: string;
  password: string;
  clientSecret: string;
  seed: number;
  /** For each operation and phase. */
  examples: number;
  /** Goes on with other examples until they are over. */
  seconds?: number;
  /** The contract, where it is not the one that the service shows. */
  contract?: string;
  /** Where Schemathesis writes what it does, a file descriptor. */
  output: number;
}

export interface Counted {
  operation: string;
  phase: string;
  status: number;
  count: number;
}

/** What figures.py writes. */
interface Figures {
  requests: Counted[];
  checks: Record<string, number>;
  links: Record<string, number>;
}

/** What Schemathesis itself reports of a run, as far as it is read here. */
interface Verdict {
  schemathesis_version: string;
  seed: number;
  running_time: number;
  complete: boolean;
  operations: { total: number; tested: number };
  test_cases: { generated: number };
  failures: { code: string; title: string; operations: string[] }[];
  errors: { title: string; count: number }[];
  filtered: number;
}

export interface Fuzzed extends Verdict, Figures, Pick<Run, 'name' | 'scheme'> {}

/** One run of Schemathesis with the credentials of one scheme. */
export async function fuzz(fuzzing: Fuzzing): Promise<Fuzzed> {
  if (SCHEMATHESIS === undefined) throw new Error('Schemathesis is not installed');
  const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-fuzz-'));
  const verdict = path.join(directory, 'verdict.json');
  const figures = path.join(directory, 'figures.json');
  try {
    const child = spawn(SCHEMATHESIS, argumentsOf(fuzzing, verdict), {
      // Where its configuration and its hooks are.
      cwd: import.meta.dirname,
      env: {
        ...process.env,
        PYTHONDONTWRITEBYTECODE: '1',
        HYPOTHESIS_STORAGE_DIRECTORY: path.join(directory, 'hypothesis'),
        FUZZ_URL: fuzzing.origin,
        FUZZ_SCHEME: fuzzing.run.scheme,
        FUZZ_USERNAME: fuzzing.username,
        FUZZ_PASSWORD: fuzzing.password,
        FUZZ_CLIENT_SECRET: fuzzing.clientSecret,
        FUZZ_FIGURES: figures,
      },
      stdio: ['ignore', fuzzing.output, fuzzing.output],
    });
    const [code] = await once(child, 'close');
    if (!existsSync(verdict) || !existsSync(figures))
      throw new Error(`Schemathesis has left with ${code} and without a report`);
    return {
      name: fuzzing.run.name,
      scheme: fuzzing.run.scheme,
      ...(JSON.parse(readFileSync(verdict, 'utf8')) as Verdict), // of the pinned version
      ...(JSON.parse(readFileSync(figures, 'utf8')) as Figures), // of figures.py
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function argumentsOf(
  { origin, run, seed, examples, seconds, contract, output }: Fuzzing,
  verdict: string,
): string[] {
  const { operations = [], phases } = run;
  return [
    ...['--config-file', 'schemathesis.toml'],
    ...['run', contract ?? `${origin}/openapi.json`, '--url', origin],
    ...['--seed', String(seed), '--max-examples', String(examples)],
    ...['--report-json-path', verdict],
    ...(seconds === undefined ? [] : ['--max-time', String(seconds)]),
    ...(phases === undefined ? [] : ['--phases', phases.join()]),
    ...operations.flatMap((operation) => ['--include-operation-id', operation]),
    ...(output <= 2 ? [] : ['--no-color']),
  ];
}
