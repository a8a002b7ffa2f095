import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import type { ExecutionContext } from 'ava';
import Koa from 'koa';
import type { Knex } from 'knex';
import pino from 'pino';
import type { Logger } from 'pino';
import { answerCheck } from '../../src/http/answer-check.ts';
import { createApi } from '../../src/http/api.ts';
import { errorResponse } from '../../src/http/error-response.ts';
import type { Parts } from '../../src/http/operation.ts';
import { requestId } from '../../src/http/request-id.ts';
import { contractRoutes, notFound } from '../../src/http/router.ts';
import { createLog } from '../../src/log.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createClient } from '../support/client.ts';
import type { Client } from '../support/client.ts';
import { testConfig } from '../support/config.ts';
import type { SettingValues } from '../support/config.ts';
import { connectTo } from '../support/database.ts';
import { createDeps } from '../support/deps.ts';

/** A database that is away: nothing listens at its port. */
export async function databaseAway(t: ExecutionContext): Promise<Knex> {
  return connectTo(t, 'postgres://127.0.0.1:1/away');
}

/** The whole service, for what must work without a database. */
export async function startWithoutDatabase(
  t: ExecutionContext,
  settings: SettingValues = {},
): Promise<TestApp> {
  return startApp(t, settings, { db: await databaseAway(t) });
}

/** A log that can be read: its lines, parsed. */
export function recordLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (chunk: Buffer, _: unknown, done: () => void): void => {
    lines.push(JSON.parse(chunk.toString()));
    done();
  };
  return { log: pino({ base: null }, new Writable({ write })), lines };
}

/**
 * A contract of the test's own, served as the service serves its one. Its answers are not held against it unless
 * the test says so, for what is tested elsewhere need not be declared.
 */
export async function serveContract(
  t: ExecutionContext,
  document: object,
  parts: Parts,
  settings: SettingValues = {},
  log?: Logger,
): Promise<Client> {
  const config = testConfig({ CONTRACT_CHECK_RATE: 0, ...settings });
  const deps = await createDeps(t, config, { db: await databaseAway(t) });
  const api = await createApi(document, parts, config);
  const sink = log ?? createLog(config);
  const koa = new Koa()
    .use(requestId)
    .use(errorResponse(sink, answerCheck(document, config, sink)))
    .use(contractRoutes(api, parts, deps))
    .use(notFound);
  return createClient(t, await listen(t, koa.callback()));
}

/** Serves on a free port until the test ends; the address. */
export async function listen(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo; // a TCP socket that listens
  return `http://127.0.0.1:${port}`;
}
