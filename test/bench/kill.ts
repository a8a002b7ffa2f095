import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { atLeast, exactly, measured } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { createHolders, lastUse, refreshSteadily } from './holders.ts';
import type { Crowd, Holder } from './holders.ts';
import { startPostgres } from './postgres.ts';
import { openStage } from './service.ts';
import { readFamilies } from './sessions.ts';
import type { FamilyState } from './sessions.ts';
import { inTurn } from './turns.ts';

// Three processes serve clients that refresh without a pause; one process after the other gets SIGKILL in the
// middle of it and is started again. A client whose connection breaks asks the next process with the same
// token, as a real one does; every other client has two tabs that send the same token at once to different
// processes. Nobody does anything wrong, so each 401 is a session lost: with its family revoked, by mistake;
// with its family alive, because the successor that was acknowledged is not known. A token was spent twice
// where its uses were answered with different successors, or where its family counts more rotations than its
// holder saw (a successor made and never told, behind the back of the one that was). All rows are held against
// what the holders know in the end, and each holder's last token has to work once more.

const REPLICAS = 3;
const CLIENTS = 32;
const LOAD_MS = [300, 700] as const;
const EASED_MS = 500;

export const kill: Figure = {
  name: 'kill',
  summary: 'One of three processes killed under load again and again loses no session',
  conditions:
    `SIGKILL to one of ${REPLICAS} server processes each round; ${CLIENTS} clients that refresh without ` +
    'a pause, half of them with two tabs; fsync on',
  rounds: 50,
  expectedSeconds: 150,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const settings = { ROTATE_REFRESH_TOKENS: 'true' };
    const { deps, replicas } = await openStage(url, settings, { replicas: REPLICAS }, scope);
    const holders = await createHolders(CLIENTS, deps);
    const crowd: Crowd = { replicas, deps, thinkMs: 0, isOver: false };
    scope.onClose(() => (crowd.isOver = true));
    const load = Promise.all(holders.map((holder) => refreshSteadily(holder, crowd)));

    const progress = startProgress('Kills', rounds);
    for (let round = 0; round < rounds; round += 1) {
      crowd.thinkMs = 0;
      await pause(between(...LOAD_MS));
      const victim = inTurn(replicas, round);
      await victim.kill();
      // Or the start would take all day on a machine that is full.
      crowd.thinkMs = EASED_MS;
      await victim.start();
      progress.advanceTo(round + 1);
    }
    progress.stop();
    crowd.isOver = true;
    await load;
    await Promise.all(holders.map((holder) => lastUse(holder, crowd)));
    return findingsOf(holders, deps);
  },
};

const between = (from: number, to: number): number => from + Math.random() * (to - from);

async function findingsOf(holders: Holder[], deps: RequestDeps): Promise<Finding[]> {
  const families = await readFamilies(holders, deps);
  const total = (count: (holder: Holder) => number): number =>
    holders.reduce((sum, holder) => sum + count(holder), 0);
  const ends = holders.map((holder) => endOf(holder, families.get(holder.familyId)));
  const untold = total(({ familyId, acknowledged }) =>
    Math.max(0, (families.get(familyId)?.generation ?? 0) - acknowledged),
  );
  return [
    exactly('acknowledged rotations lost', ends.filter((end) => end === 'lost').length, 0),
    exactly(
      'tokens with two different successors',
      total(({ doubles }) => doubles),
      0,
    ),
    exactly('rotations beside the acknowledged ones', untold, 0),
    exactly('families revoked by mistake', ends.filter((end) => end === 'revoked').length, 0),
    measured(
      'rotations acknowledged',
      total(({ acknowledged }) => acknowledged),
    ),
    atLeast(
      'requests interrupted',
      total(({ interrupted }) => interrupted),
      1,
    ),
    measured(
      'of these after the commit, at least',
      total(({ committed }) => committed),
    ),
    measured(
      'answers of 503, asked again',
      total(({ unavailable }) => unavailable),
    ),
  ];
}

function endOf(holder: Holder, family: FamilyState | undefined): 'kept' | 'revoked' | 'lost' {
  if (!family) return 'lost';
  if (family.revoked_reason !== null) return 'revoked';
  return holder.isRefused || family.current_jti !== holder.jti ? 'lost' : 'kept';
}
