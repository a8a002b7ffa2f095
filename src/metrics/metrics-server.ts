import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { MetricsSource, Prometheus } from './prometheus.ts';

// As in http-server.ts.
const { createServer } = process.getBuiltinModule('node:http');

/** What METRICS_PORT asks for. A worker's metrics are its primary's to serve. */
export async function prometheusFor(
  { METRICS_PORT }: Pick<Config, 'METRICS_PORT'>,
  { isWorker = false } = {},
): Promise<Prometheus | undefined> {
  if (METRICS_PORT === undefined) return undefined;
  // Loaded here only: where nobody looks at metrics they cost nothing.
  const { answerPrimary, createPrometheus } = await import('./prometheus.ts');
  const prometheus = createPrometheus();
  if (isWorker) answerPrimary(prometheus.registry);
  return prometheus;
}

/** Serves GET /metrics, and nothing else, on a port of its own, until the process ends. */
export async function serveMetrics(
  source: MetricsSource,
  { METRICS_HOST, METRICS_PORT }: Pick<Config, 'METRICS_HOST' | 'METRICS_PORT'>,
  log: Pick<Logger, 'error' | 'info'>,
): Promise<void> {
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000 },
    (request, response) => {
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      source.metrics().then(
        (text) => response.writeHead(200, { 'Content-Type': source.contentType }).end(text),
        (error: unknown) => {
          log.error({ err: error }, 'metrics could not be had');
          response.writeHead(503).end();
        },
      );
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(METRICS_PORT, METRICS_HOST, resolve);
  });
  // The process is there to serve others.
  server.unref();
  log.info(server.address(), 'metrics are served');
}
