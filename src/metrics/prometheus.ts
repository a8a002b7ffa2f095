import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client';
import type { Metrics } from './metrics.ts';

/** What is looked at when metrics are asked for. */
export interface Gauges {
  /** Connections to the database. */
  pool: () => { total: number; idle: number; waiting: number };
  /** Seconds since the revocations of all replicas were known for the last time. */
  revocationLag: () => number;
  /** Passwords that are being hashed, and those that wait for it. */
  hashing: () => { active: number; pending: number };
}

// A page takes a few milliseconds, a login a few hundred.
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What can be served. */
export interface MetricsSource {
  contentType: string;
  metrics: () => Promise<string>;
}

/** What Prometheus is to know of a process. */
export interface Prometheus {
  registry: Registry;
  metrics: Metrics;
  watch: (gauges: Gauges) => void;
}

export function createPrometheus(): Prometheus {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'latchkey_http_request_duration_seconds',
    help: 'Answers, by operationId of the contract and status',
    labelNames: ['operation', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const refreshes = new Counter({
    name: 'latchkey_refreshes_total',
    help: 'Refresh tokens that were shown: won, grace, reuse, expired or refused',
    labelNames: ['outcome'],
    registers,
  });
  const swept = new Counter({
    name: 'latchkey_swept_rows_total',
    help: 'Rows that the sweeper deleted, by table',
    labelNames: ['table'],
    registers,
  });
  const sweptAt = new Gauge({
    name: 'latchkey_sweep_last_success_timestamp_seconds',
    help: 'When this replica swept last; 0 if it never did',
    aggregator: 'max',
    registers,
  });

  // Finding a series costs more than counting in it.
  const series = new Map<string, { observe: (seconds: number) => void }>();
  const seriesOf = (operation: string, status: number) => {
    const key = `${status} ${operation}`;
    let found = series.get(key);
    if (!found) {
      found = requests.labels({ operation, status: String(status) });
      series.set(key, found);
    }
    return found;
  };

  return {
    registry,
    metrics: {
      request: (operation = 'none', status, seconds) =>
        seriesOf(operation, status).observe(seconds),
      refresh: (outcome) => refreshes.inc({ outcome }),
      swept: (rows) => {
        for (const [table, count] of Object.entries(rows)) swept.inc({ table }, count);
        sweptAt.setToCurrentTime();
      },
    },
    watch: ({ pool, revocationLag, hashing }) => {
      const connections: Gauge<'state'> = new Gauge({
        name: 'latchkey_database_connections',
        help: 'Connections of the pool (idle, busy), and requests that wait for one',
        labelNames: ['state'],
        registers,
        collect: () => {
          const { total, idle, waiting } = pool();
          connections.set({ state: 'idle' }, idle);
          connections.set({ state: 'busy' }, total - idle);
          connections.set({ state: 'waiting' }, waiting);
        },
      });
      const lag: Gauge = new Gauge({
        name: 'latchkey_revocation_lag_seconds',
        help: 'Time since this replica last knew all revocations; from 3 s on it asks the database at each request',
        aggregator: 'max',
        registers,
        collect: () => lag.set(revocationLag()),
      });
      const hashes: Gauge<'state'> = new Gauge({
        name: 'latchkey_password_hashes',
        help: 'Passwords that are being hashed (active), and those that wait for it (pending)',
        labelNames: ['state'],
        registers,
        collect: () => {
          const { active, pending } = hashing();
          hashes.set({ state: 'active' }, active);
          hashes.set({ state: 'pending' }, pending);
        },
      });
    },
  };
}

/** In a worker: has its primary ask for these. */
export function answerPrimary(registry: Registry): void {
  AggregatorRegistry.setRegistries([registry]);
  // Made for its side effect: it hears the question of the primary.
  void new AggregatorRegistry();
}

/** In the primary: those of all workers together. */
export function metricsOfWorkers(): MetricsSource {
  const all = new AggregatorRegistry();
  return { contentType: all.contentType, metrics: () => all.clusterMetrics() };
}
