import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createAccount } from '../../src/accounts/accounts.ts';
import { seed } from '../../src/commands/seed.ts';
import { loadConfig } from '../../src/config.ts';
import { connect } from '../../src/db.ts';
import { prepareSchema } from '../../src/schema.ts';
import { randomSecret } from '../../src/secrets.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { freePort, startProcess } from '../bench/processes.ts';
import type { Scope } from '../bench/scope.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const READY_MS = 60_000;
const LOOK_MS = 50;

export interface Stock {
  /** All with the one password. */
  password: string;
  staff: string[];
  users: string[];
  /** How many, owned by the first of the staff. */
  products: number;
}

export interface LiveService {
  origin: string;
  /** What it logged last. */
  log: () => string;
}

/** `node src/server.ts` on a free port and an embedded database of its own, stocked; gone when the scope closes. */
export async function startService(
  settings: Record<string, string>,
  stock: Stock,
  scope: Scope,
): Promise<LiveService> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-live-'));
  scope.onClose(() => rmSync(directory, { recursive: true, force: true }));
  const port = await freePort();
  const env = {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: path.join(directory, 'data'),
    BCRYPT_ROUNDS: '4',
    SECRET_KEY: randomSecret(),
    SIGNING_KEY: randomSecret(),
    ...settings,
  };
  // Its configuration takes the secrets out of where it reads them.
  await fill({ ...env }, stock);
  const server = startProcess(process.execPath, [path.join(ROOT, 'src/server.ts')], {
    env,
    cwd: directory,
  });
  scope.onClose(async () => {
    if (!server.hasLeft()) await server.end('SIGTERM');
  });
  const origin = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + READY_MS;
  while (!(await isReady(origin))) {
    if (server.hasLeft() || performance.now() > deadline)
      throw new Error(`the service did not start:\n${server.output()}`);
    await pause(LOOK_MS);
  }
  return { origin, log: server.output };
}

async function fill(env: Record<string, string>, stock: Stock): Promise<void> {
  const config = loadConfig(env);
  const database = await connect(config);
  try {
    await prepareSchema(database);
    const deps = { config, db: database.db, now: () => new Date() };
    const password = await hashPassword(stock.password, config);
    for (const username of stock.staff)
      await createAccount({ username, password, is_staff: true }, deps);
    for (const username of stock.users) await createAccount({ username, password }, deps);
    if (stock.products > 0) await seed({ products: stock.products, owner: stock.staff[0] }, deps);
  } finally {
    await database.close();
  }
}

async function isReady(origin: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/readyz`)).ok;
  } catch {
    return false; // not listening yet
  }
}
