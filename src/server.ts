import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { App } from './app.ts';
import { ConfigError, environment, loadConfig } from './config.ts';
import type { Config } from './config.ts';
import { customClaims } from './custom-claims.ts';
import { connect, DatabaseUnavailable, isUnavailable } from './db.ts';
import { createDemo } from './demo.ts';
import type { RequestDeps } from './deps.ts';
import { OperatorError } from './errors.ts';
import { createHttpServer } from './http/http-server.ts';
import { watchKeys } from './jwt/key-watch.ts';
import { startSweeper } from './jwt/sweeper.ts';
import { createLog } from './log.ts';
import { startLive } from './revocation/live.ts';
import { prepareSchema } from './schema.ts';
import { welcome } from './welcome.ts';

const EXIT_CONFIG = 78; // EX_CONFIG of sysexits.h
const DRAIN_MS = 10_000;
const CLOSE_MS = 3_000;

async function start(config: Config): Promise<void> {
  const log = createLog(config);
  const database = await connect(config);
  const closing: (() => Promise<void>)[] = [database.close];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step();
  };
  try {
    await prepareSchema(database);
    const live = await startLive(database, config, log);
    closing.push(live.stop);
    const deps: RequestDeps = {
      config,
      db: database.db,
      now: () => new Date(),
      live,
      customClaims,
    };
    const isForTrying = database.embedded && config.NODE_ENV === 'development';
    const demo = isForTrying ? await createDemo(deps) : undefined;
    const app = await createApp(deps, log);
    // The last thing that can fail: from here on somebody may be served.
    const server = await listen(app, config, log);
    closing.push(startSweeper(deps, live, log).stop);
    stopOnSignal(server, app, close, log);
    const watch = watchKeys(config, log);
    closing.push(async () => watch.stop());
    welcome({ origin: originOf(server), database: database.description, demo, config }, log);
  } catch (error) {
    await close();
    throw isUnavailable(error) ? new DatabaseUnavailable(database, error) : error;
  }
}

async function listen({ koa }: App, { HOST, PORT }: Config, log: Logger): Promise<Server> {
  const server = createHttpServer(koa, log);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(PORT, HOST, resolve);
  });
  server.removeAllListeners('error').on('error', (error) => log.error({ err: error }, 'socket'));
  return server;
}

function originOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo; // a TCP socket that listens
  const host = ['0.0.0.0', '::'].includes(address) ? 'localhost' : address;
  return `http://${family === 'IPv6' && host === address ? `[${host}]` : host}:${port}`;
}

// Not ready -> accept no more -> finish what runs -> close the pool -> leave. A second signal leaves at once.
function stopOnSignal(server: Server, app: App, close: () => Promise<void>, log: Logger): void {
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info({ signal }, 'stopping');
    app.stopping();
    setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
    setTimeout(() => process.exit(1), DRAIN_MS + CLOSE_MS).unref();
    server.close(() => {
      close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'the database did not close');
          process.exit(1);
        },
      );
    });
    server.closeIdleConnections();
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop(signal));
}

try {
  await start(loadConfig(environment()));
} catch (error) {
  console.error(explain(error));
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
}

function explain(error: unknown): unknown {
  if (error instanceof OperatorError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return 'The port is taken: stop the other process, or set PORT to another one.';
  if (code === 'EADDRNOTAVAIL') return 'HOST is no address of this machine.';
  return error;
}
