import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { Knex } from 'knex';
import { createApp } from '../../src/app.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { createLog } from '../../src/log.ts';
import { createClient } from './client.ts';
import type { Client } from './client.ts';
import { testConfig } from './config.ts';
import type { SettingValues } from './config.ts';
import { createDeps } from './deps.ts';

/** A clock that stands still until it is told to go on. */
export interface Clock {
  now: () => Date;
  advance: (seconds: number) => void;
  set: (instant: Date) => void;
}

export interface TestApp {
  client: Client;
  base: string;
  db: Knex;
  deps: RequestDeps;
  clock: Clock;
}

/** The whole service on a free port, with a configuration, database and clock of its own. */
export async function startApp(
  t: ExecutionContext,
  settings: SettingValues = {},
  { isRealTime = false, db: given }: { isRealTime?: boolean; db?: Knex } = {},
): Promise<TestApp> {
  const config = testConfig(settings);
  const clock = createClock();
  const now = isRealTime ? () => new Date() : clock.now;
  const deps = await createDeps(t, config, { db: given, now });
  const log = createLog(config);
  const { koa } = await createApp(deps, log);
  const server = createHttpServer(koa, log);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo; // a TCP socket that listens
  const base = `http://127.0.0.1:${port}`;
  return { client: createClient(t, base), base, db: deps.db, deps, clock };
}

function createClock(): Clock {
  let offset = 0;
  const start = Date.now();
  return {
    now: () => new Date(start + offset),
    advance: (seconds) => {
      offset += seconds * 1000;
    },
    set: (instant) => {
      offset = instant.getTime() - start;
    },
  };
}
