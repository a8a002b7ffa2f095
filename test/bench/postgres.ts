import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { OperatorError } from '../../src/errors.ts';
import { freePort, startProcess } from './processes.ts';
import type { RunningProcess } from './processes.ts';
import type { Scope } from './scope.ts';
import { onCore } from './speed/cores.ts';
import type { Core } from './speed/cores.ts';

const BINARIES = process.env.POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin';

/** The path of one of the programs that come with the server. */
export const postgresBinary = (name: string): string => path.join(BINARIES, name);

/** The binaries' own words: `postgres (PostgreSQL) 15.14`. */
export function postgresVersion(): string {
  const words = execFileSync(postgresBinary('postgres'), ['--version'], { encoding: 'utf8' });
  return /\d[\d.]*/.exec(words)?.[0] ?? words.trim();
}

/** A PostgreSQL server of its own in a temporary directory, with fsync on as in production; its URL. `more` are settings. */
export async function startPostgres(
  scope: Scope,
  core: Core = 'all',
  more: readonly string[] = [],
): Promise<string> {
  return (await createPostgres(scope, core, more)).url;
}

/** A server that can be stopped, by the signal, and started again on what it left. */
export interface Postgres {
  url: string;
  stop: (signal: NodeJS.Signals) => Promise<void>;
  start: () => Promise<void>;
}

export async function createPostgres(
  scope: Scope,
  core: Core = 'all',
  more: readonly string[] = [],
): Promise<Postgres> {
  if (!existsSync(postgresBinary('initdb')))
    throw new OperatorError(
      `There is no PostgreSQL server in ${BINARIES}: install one, or name its directory in POSTGRES_BIN.`,
    );
  const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-pg-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const user = unprivilegedUser();
  if (user) chownSync(directory, user.uid, user.gid);
  const as = { ...user, env: { PATH: process.env.PATH }, cwd: directory };
  const data = path.join(directory, 'data');
  execFileSync(
    postgresBinary('initdb'),
    ['-D', data, '-U', 'latchkey', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8'],
    { ...as, stdio: ['ignore', 'ignore', 'inherit'] },
  );

  const port = await freePort();
  const settings = ['max_connections=200', 'listen_addresses=127.0.0.1', ...more].flatMap((one) => [
    '-c',
    one,
  ]);
  const args = ['-D', data, '-p', String(port), '-k', directory, ...settings];
  const run = (): RunningProcess =>
    startProcess(...onCore(core, postgresBinary('postgres'), args), {
      ...as,
      emergencySignal: 'SIGQUIT',
    });
  let server = run();
  // A fast shutdown: it disconnects whoever is left.
  scope.onClose(() => server.end('SIGINT'));
  await server.saying('ready to accept connections');
  return {
    url: `postgres://latchkey@127.0.0.1:${port}/postgres`,
    stop: (signal) => server.end(signal),
    start: async () => {
      server = run();
      await server.saying('ready to accept connections');
    },
  };
}

// PostgreSQL refuses to run as root.
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string): number =>
    Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
