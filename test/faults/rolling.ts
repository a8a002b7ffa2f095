import { startProgress } from '../../src/commands/progress.ts';
import { exactly, measured } from '../bench/figure.ts';
import type { Figure } from '../bench/figure.ts';
import { startPostgres } from '../bench/postgres.ts';
import { openStage } from '../bench/service.ts';
import { createUsers, openSession } from '../bench/sessions.ts';
import { createBalancer } from './balancer.ts';
import { others, startLoad } from './load.ts';

// Two replicas behind what a load balancer does, asked for pages by JWT over connections that are kept. One after the
// other is told to stop by SIGTERM, and started again when it has left. A request has failed that got no answer, or
// any other than a 200.

const RATE = 1000;

export const rolling: Figure = {
  name: 'rolling',
  summary: 'Restarts of one replica after another, under load',
  conditions: `two replicas, ${RATE} requests/s, connections kept, DRAIN_DELAY=1s, /readyz asked every 200 ms`,
  rounds: 50,
  roundsAre: 'restarts',
  expectedSeconds: 200,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const settings = { DRAIN_DELAY: '1s', ACCESS_TOKEN_LIFETIME: '1h' };
    const { deps, replicas } = await openStage(url, settings, { replicas: 2 }, scope);
    const [user] = await createUsers(1, deps);
    if (!user) throw new Error('there is no user');
    const { access: bearer } = await openSession(user, deps);
    const balancer = createBalancer(replicas, scope);
    const load = startLoad(RATE, () => balancer.send('/products/', { bearer }));
    const progress = startProgress('Restarts', rounds);
    let codes = 0;
    for (let round = 0; round < rounds; round += 1) {
      const replica = replicas[round % 2];
      if ((await replica?.stop()) !== 0) codes += 1;
      await replica?.start();
      await balancer.hasAll();
      progress.advanceTo(round + 1);
    }
    progress.stop();
    const tally = await load.stop();
    return {
      findings: [
        measured('requests', tally.sent),
        exactly('requests that failed', others(tally, [200]), 0),
        exactly('processes that did not leave with 0', codes, 0),
      ],
      tables: [],
      notes: [...tally.reasons].map(([reason, count]) => `${count} x ${reason}.`),
    };
  },
};
