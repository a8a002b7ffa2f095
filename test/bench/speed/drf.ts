import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { serviceEnv } from '../service.ts';
import { CONTENDERS } from './contenders.ts';
import type { Stage } from './stage.ts';

const run = promisify(execFile);
const LARGEST_OUTPUT = 2 ** 28;
const USERS = 100;

interface Credentials {
  /** One of each user. */
  access: string[];
  /** Opaque ones, one of each user. */
  token: string[];
  refresh: string[];
  login: { username: string; password: string };
}

/** Django's tables and users beside ours, and credentials that are new at each call. */
export async function prepareDrf(databaseUrl: string, sessions: number): Promise<Credentials> {
  const { command, cwd } = CONTENDERS.drf;
  const python = path.join(path.dirname(command), 'python');
  const args = ['manage.py', 'prepare', '--users', String(USERS), '--sessions', String(sessions)];
  const { PATH, SIGNING_KEY } = serviceEnv(databaseUrl, {});
  const { stdout } = await run(python, args, {
    cwd,
    env: { PATH, SIGNING_KEY, DATABASE_URL: databaseUrl },
    maxBuffer: LARGEST_OUTPUT,
  });
  return JSON.parse(stdout) as Credentials; // printed by our own program
}

const AT_A_TIME = 10_000;
const left: string[] = [];

/** simplejwt's refresh tokens, none of them given before. */
export async function drfRefreshTokens({ url }: Stage, count: number): Promise<string[]> {
  while (left.length < count) left.push(...(await prepareDrf(url, AT_A_TIME)).refresh);
  return left.splice(0, count);
}
