import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import { below, exactly, measured, percentile } from '../bench/figure.ts';
import type { Figure } from '../bench/figure.ts';
import { exchange } from '../bench/http-client.ts';
import { startPostgres } from '../bench/postgres.ts';
import { openStage } from '../bench/service.ts';
import { createUsers, openSession } from '../bench/sessions.ts';
import { others, startLoad } from './load.ts';

// Many more clients than connections, and a statement that takes its time: each waits for a connection for a second at
// most. Whoever needs none (a page that is asked with a bad token, the probe of a balancer) is answered as ever.

const POOL = 10;
const SLOW_MS = 200;
const STORM_MS = 15_000;
const PROBES = 50;
const RECOVERY_MS = 3000;

interface Waited {
  status: number;
  ms: number;
  retryAfter: string | undefined;
}

export const pool: Figure = {
  name: 'pool',
  summary: 'Many more clients than connections to the database',
  conditions: `one replica with a pool of ${POOL}; each client adds a product, which takes ${SLOW_MS} ms there, and asks again, after a 503 when Retry-After says so; ${PROBES} probes/s of /healthz beside them`,
  rounds: 2000,
  roundsAre: 'clients',
  expectedSeconds: 30,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const settings = { DATABASE_POOL_SIZE: String(POOL) };
    const { deps, replicas } = await openStage(url, settings, { replicas: 1 }, scope);
    const [[user], [replica]] = [await createUsers(1, deps), replicas];
    if (!user || !replica) throw new Error('there is nobody to ask, or nobody who asks');
    const { access: bearer } = await openSession(user, deps);
    await deps.db.raw(`
      CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(${SLOW_MS / 1000}); RETURN NEW; END $$;
      CREATE TRIGGER be_slow BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION be_slow();
    `);

    let isOver = false;
    scope.onClose(() => (isOver = true));
    const answers: Waited[] = [];
    const add = async (name: string): Promise<Waited> => {
      const start = performance.now();
      const { status, headers } = await exchange(replica.origin, '/products/', {
        method: 'POST',
        json: { name, price: '1.00' },
        bearer,
      });
      return { status, ms: performance.now() - start, retryAfter: headers['retry-after'] };
    };
    // Each comes back when it was told to.
    const client = async (name: string): Promise<void> => {
      while (!isOver) {
        const answer = await add(name);
        answers.push(answer);
        await pause(Number(answer.retryAfter ?? 0) * 1000);
      }
    };
    const clients: Promise<void>[] = [];
    for (let index = 0; index < rounds; index += 1) {
      clients.push(client(`Chair ${index}`));
      if (index % 50 === 0) await pause(10); // connections are not all made at once
    }
    await pause(1000);
    const probing = startLoad(PROBES, () => exchange(replica.origin, '/healthz'));
    const progress = startProgress('Seconds', STORM_MS / 1000);
    for (let waited = 0; waited < STORM_MS; waited += 250) {
      await pause(250);
      progress.advanceTo(waited / 1000);
    }
    progress.stop();
    const probes = await probing.stop();
    isOver = true;
    const end = performance.now();
    let recovered = Infinity;
    while (recovered === Infinity && performance.now() - end < RECOVERY_MS) {
      const { status, ms } = await add('Afterwards');
      if (status === 201) recovered = performance.now() - end;
      else if (ms < 10) await pause(10);
    }
    await Promise.all(clients);

    const refusals = answers.filter(({ status }) => status === 503);
    const waits = refusals.map(({ ms }) => ms);
    return {
      findings: [
        measured('answers', answers.length),
        measured('of them 201', answers.filter(({ status }) => status === 201).length),
        exactly(
          'other than 201 and 503',
          answers.filter(({ status }) => status !== 201 && status !== 503).length,
          0,
        ),
        exactly('503 without Retry-After', refusals.filter((one) => !one.retryAfter).length, 0),
        measured('p50 of a 503', percentile(waits, 0.5), 'ms'),
        below('p99 of a 503', percentile(waits, 0.99), 1200, 'ms'),
        exactly('probes not answered with 200', others(probes, [200]), 0),
        below(
          'p99 of a probe',
          percentile(
            probes.answers.map(({ sentAt, at }) => at - sentAt),
            0.99,
          ),
          10,
          'ms',
        ),
        below('until the first 201 afterwards', recovered, 1000, 'ms'),
      ],
      tables: [],
    };
  },
};
