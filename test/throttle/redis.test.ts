import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { freePort } from '../bench/processes.ts';
import { startApp } from '../support/app.ts';
import { until } from '../support/eventually.ts';

const BINARY = '/usr/bin/redis-server';
const withRedis = existsSync(BINARY) ? test : test.skip;

async function startRedis(t: ExecutionContext, port: number): Promise<ChildProcess> {
  const options = ['--port', String(port), '--save', '', '--bind', '127.0.0.1'];
  const child = spawn(BINARY, options, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of child.stdout) if (/Ready to accept/.test(String(line))) break;
  child.stdout.resume();
  return child;
}

withRedis(
  'replicas count together in Redis, alone while it is away, and together again',
  async (t) => {
    const port = await freePort();
    const redis = await startRedis(t, port);
    const settings = {
      THROTTLE_ENABLED: true,
      THROTTLE_ANON: '1000/d',
      REDIS_URL: `redis://127.0.0.1:${port}`,
    };
    const here = await startApp(t, settings);
    const there = await startApp(t, settings, { db: here.db });
    const left = async (app: typeof here): Promise<number> => {
      const { headers } = await app.client.get('/.well-known/jwks.json');
      return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]);
    };

    t.deepEqual([await left(here), await left(there), await left(here)], [999, 998, 997]);
    t.is((await here.db('rate_limit').select()).length, 0);

    redis.kill('SIGKILL');
    await once(redis, 'exit');
    t.deepEqual([await left(here), await left(there), await left(here)], [999, 999, 998]);

    await startRedis(t, port);
    let [one, other] = [0, 0];
    await until(async () => {
      one = await left(here);
      other = await left(there);
      return one - other === 1;
    });
    t.is(one - other, 1);
  },
);

withRedis('a start without Redis serves, and limits', async (t) => {
  const settings = {
    THROTTLE_ENABLED: true,
    THROTTLE_ANON: '1/d',
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  };
  const { client } = await startApp(t, settings);

  t.is((await client.get('/.well-known/jwks.json')).status, 200);
  t.is((await client.get('/.well-known/jwks.json')).status, 429);
});
