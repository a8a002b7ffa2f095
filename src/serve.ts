import type { Server } from 'node:http';
import { Server as TcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { App } from './app.ts';
import type { Config } from './config.ts';
import { customClaims } from './custom-claims.ts';
import { connect, DatabaseUnavailable, isUnavailable } from './db.ts';
import { createDemo } from './demo.ts';
import type { Demo } from './demo.ts';
import type { RequestDeps } from './deps.ts';
import { createHttpServer } from './http/http-server.ts';
import { watchKeys } from './jwt/key-watch.ts';
import { startSweeper } from './jwt/sweeper.ts';
import { DRAIN_MS } from './leaving.ts';
import { NO_METRICS } from './metrics/metrics.ts';
import type { Prometheus } from './metrics/prometheus.ts';
import { startLive } from './revocation/live.ts';
import { prepareSchema } from './schema.ts';
import { createThrottle } from './throttle/throttle.ts';
import { hashingLoad, provideHashing } from './users/bulkhead.ts';

/** What one process serves, from here on. */
export interface Service {
  origin: string;
  /** For people: where the data is. */
  database: string;
  demo: Demo | undefined;
  /** Not ready -> DRAIN_DELAY -> accept no more -> finish what runs -> close the pool. */
  stop: () => Promise<void>;
}

/** Database -> app -> listen. What fails leaves nothing open. */
export async function serve(
  config: Config,
  log: Logger,
  { hashingSlots, prometheus }: { hashingSlots: number; prometheus?: Prometheus | undefined },
): Promise<Service> {
  await provideHashing(hashingSlots);
  const database = await connect(config);
  const closing: (() => Promise<void>)[] = [database.close];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step();
  };
  try {
    await prepareSchema(database);
    const live = await startLive(database, config, log);
    closing.push(live.stop);
    const throttle = await createThrottle(config, database.db, log);
    closing.push(throttle.close);
    prometheus?.watch({
      pool: database.connections,
      revocationLag: live.lag,
      hashing: hashingLoad,
    });
    const metrics = prometheus?.metrics ?? NO_METRICS;
    const deps: RequestDeps = {
      config,
      db: database.db,
      now: () => new Date(),
      live,
      throttle,
      metrics,
      customClaims,
    };
    const isForTrying = database.embedded && config.NODE_ENV === 'development';
    const demo = isForTrying ? await createDemo(deps) : undefined;
    const app = await createApp(deps, log);
    // The last thing that can fail: from here on somebody may be served.
    const server = await listen(app, config, log);
    closing.push(startSweeper(deps, live, log, metrics.swept).stop);
    const watch = watchKeys(config, log);
    closing.push(async () => watch.stop());
    const stop = async (): Promise<void> => {
      app.stopping();
      await pause(config.DRAIN_DELAY * 1000);
      await drain(server);
      await close();
    };
    return { origin: originOf(server), database: database.description, demo, stop };
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

// A connection that is idle may have a request under way to us: it is told to go with the answer to that, and only
// those that stay idle are closed. Node's own `close` of an HTTP server would close them at once.
async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    TcpServer.prototype.close.call(server, () => resolve());
  });
  const idle = setInterval(() => server.closeIdleConnections(), LINGER_MS);
  const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}

const LINGER_MS = 1000;
