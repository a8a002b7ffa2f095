import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import test from 'ava';
import { createHttpServer } from '../../src/http/http-server.ts';
import { createApp } from '../../src/app.ts';
import { createLog } from '../../src/log.ts';
import { createPrometheus } from '../../src/metrics/prometheus.ts';
import { freePort } from '../bench/processes.ts';
import { startApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import { temporaryDirectory } from '../support/keys.ts';
import { startServer } from '../support/server-process.ts';

const OPS = path.join(import.meta.dirname, '../../ops');

const SECRETS = {
  SECRET_KEY: 'a secret of this test that encrypts opaque tokens',
  SIGNING_KEY: 'a secret of this test that signs JSON Web Tokens',
};

test('refreshes are counted by how they came out, and requests by operation and status', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true, REFRESH_GRACE: 10 });
  const { metrics, registry } = createPrometheus();
  const { koa } = await createApp({ ...app.deps, metrics }, createLog(app.deps.config));
  const server = createHttpServer(koa, createLog(app.deps.config)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const refresh = (token: string) =>
    fetch(`http://127.0.0.1:${port}/refresh_token/?secret=canary`, {
      method: 'POST',
      body: JSON.stringify({ refresh: token }),
      headers: { 'Content-Type': 'application/json', Connection: 'close' },
    });

  const first = await logIn(app, await createUser(app));
  await refresh(first.refresh);
  await refresh(first.refresh);
  app.clock.advance(11);
  await refresh(first.refresh);
  const second = await logIn(app, await createUser(app));
  app.clock.advance(2 * 86_400);
  await refresh(second.refresh);
  await refresh('canary');
  await fetch(`http://127.0.0.1:${port}/canary`, { headers: { Connection: 'close' } });
  const text = await registry.metrics();

  for (const line of [
    'latchkey_refreshes_total{outcome="won"} 1',
    'latchkey_refreshes_total{outcome="grace"} 1',
    'latchkey_refreshes_total{outcome="reuse"} 1',
    'latchkey_refreshes_total{outcome="expired"} 1',
    'latchkey_refreshes_total{outcome="refused"} 1',
    'latchkey_http_request_duration_seconds_count{operation="refreshToken",status="200"} 2',
    'latchkey_http_request_duration_seconds_count{operation="refreshToken",status="401"} 3',
    'latchkey_http_request_duration_seconds_count{operation="none",status="404"} 1',
  ])
    t.true(text.includes(`${line}\n`), line);
  t.notRegex(text, /canary|user-/);
});

test('METRICS_PORT serves Prometheus, and nothing else', async (t) => {
  const port = await freePort();
  const server = startServer(t, {
    ...SECRETS,
    PORT: '0',
    METRICS_PORT: String(port),
    NODE_ENV: 'test',
    DATA_DIR: path.join(temporaryDirectory(t), 'data'),
  });
  const [, origin] = await server.saying(/listening at (\S+)/);
  await fetch(`${origin}/.well-known/jwks.json`);

  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await answer.text();

  t.regex(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  t.regex(
    text,
    /^latchkey_http_request_duration_seconds_count\{operation="getJwks",status="200"\} 1$/m,
  );
  t.regex(text, /^latchkey_revocation_lag_seconds [01]/m);
  t.regex(text, /^latchkey_database_connections\{state="idle"\} 1$/m);
  t.is((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
  t.is((await fetch(`${origin}/metrics`)).status, 404);
  t.deepEqual(unknownNames(text), []);
});

test('a port for metrics that is taken ends the start, before anybody is served', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const server = startServer(t, {
    ...SECRETS,
    PORT: '0',
    METRICS_PORT: String(port),
    NODE_ENV: 'test',
    DATA_DIR: path.join(temporaryDirectory(t), 'data'),
  });

  t.is(await server.exit(), 1);
  t.regex(server.output(), /^The port is taken: [^\n]*METRICS_PORT[^\n]*\n$/);
});

/** What the dashboard and the alerts ask for that the service does not have. */
function unknownNames(text: string): string[] {
  const known = new Set(
    [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [String(name)],
    ),
  );
  const asked = ['grafana-dashboard.json', 'prometheus-alerts.yaml'].flatMap(
    (file) =>
      readFileSync(path.join(OPS, file), 'utf8').match(/\b(latchkey|nodejs|process)_[a-z_]+\b/g) ??
      [],
  );
  return asked.length < 10 ? ['none was found'] : asked.filter((name) => !known.has(name));
}
