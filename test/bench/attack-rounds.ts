import { startProgress } from '../../src/commands/progress.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { keyring } from '../../src/jwt/keys.ts';
import {
  attacks as cases,
  fitsInHeader,
  inHeader,
  judge,
  loadForge,
  PLACES,
} from '../support/attacks.ts';
import type { Place, Verdict } from '../support/attacks.ts';
import type { ReadCpuTime } from './cpu-time.ts';
import { exchange } from './http-client.ts';
import type { RawAnswer } from './http-client.ts';
import { createUsers, openSession } from './sessions.ts';

/** CPU time of a refusal. */
export const LIMIT_MS = 5;

export interface Target {
  deps: RequestDeps;
  origin: string;
  readCpu: ReadCpuTime;
  canaryUrl: string;
}

export interface Tally {
  algorithm: string;
  verdicts: Record<Verdict, number>;
  serverErrors: number;
  /** Of each case at each place: milliseconds of CPU time, from the second round on. */
  refusals: Map<string, number[]>;
  acceptances: number[];
  readings: number[];
  repeated: number;
  /** Rows beyond those that an accepted logout leaves. */
  leftRows: number;
}

export async function playRounds(rounds: number, target: Target): Promise<Tally> {
  const { algorithm } = keyring(target.deps.config);
  const tally: Tally = {
    algorithm,
    verdicts: {
      right: 0,
      stricter: 0,
      'accepted wrongly': 0,
      'refused wrongly': 0,
      'refused in another form': 0,
    },
    serverErrors: 0,
    refusals: new Map(),
    acceptances: [],
    readings: [],
    repeated: 0,
    leftRows: 0,
  };
  const endedBefore = await countEnded(target.deps);
  let loggedOut = 0;
  const progress = startProgress(algorithm, rounds + 1);
  for (let round = 0; round <= rounds; round += 1) {
    for (const place of PLACES)
      loggedOut += await playAt(place, { isWarm: round > 0 }, target, tally);
    progress.advanceTo(round + 1);
  }
  progress.stop();
  tally.leftRows = (await countEnded(target.deps)) - endedBefore - loggedOut;
  return tally;
}

/** Resolves to how many sessions were ended, as they should be. */
async function playAt(
  place: Place,
  { isWarm }: { isWarm: boolean },
  { deps, origin, readCpu, canaryUrl: canary }: Target,
  tally: Tally,
): Promise<number> {
  const { forge, applies, decodeToken } = await loadForge();
  const { algorithm: alg, signing } = keyring(deps.config);
  const [user] = await createUsers(1, deps);
  if (!user) throw new Error('a user was made');
  let session = await openSession(user, deps);
  let loggedOut = 0;
  for (const attack of cases) {
    const isAccess = place === 'products' || place === 'verify';
    const base = decodeToken(isAccess ? session.access : session.refresh);
    if (!applies(attack, { alg, base })) continue;
    const token = forge(attack, { alg, keys: { signing }, base, canary });
    if (place === 'products' && !fitsInHeader(token)) continue;

    const { answer, cpuMs } = await measure(() => show(token, place, origin), readCpu, tally);

    const { status, headers, text } = answer;
    const challenge = headers['www-authenticate'];
    const verdict = judge(attack, place, token, { status, challenge });
    tally.verdicts[verdict] += 1;
    if (status >= 500) tally.serverErrors += 1;
    if (verdict !== 'right' && verdict !== 'stricter')
      console.error(`${alg}: ${attack.id} at ${place} ${verdict}: ${status} ${text}`);
    if (isWarm) note(tally, `${attack.id} at ${place}`, status, cpuMs);
    if (place === 'blacklist' && status === 200) {
      loggedOut += 1;
      session = await openSession(user, deps);
    }
  }
  return loggedOut;
}

function note(tally: Tally, name: string, status: number, cpuMs: number): void {
  if (status === 200) {
    tally.acceptances.push(cpuMs);
    return;
  }
  const known = tally.refusals.get(name);
  if (known) known.push(cpuMs);
  else tally.refusals.set(name, [cpuMs]);
}

function show(token: string, place: Place, origin: string): Promise<RawAnswer> {
  switch (place) {
    case 'products':
      return exchange(origin, '/products/', { bearer: inHeader(token) });
    case 'verify':
      return exchange(origin, '/verify_token/', { method: 'POST', json: { token } });
    case 'refresh':
    case 'blacklist':
      return exchange(origin, `/${place}_token/`, { method: 'POST', json: { refresh: token } });
  }
}

interface Measured {
  answer: RawAnswer;
  cpuMs: number;
}

// The least of three where a refusal takes too long: the collector of garbage may have come by.
async function measure(
  ask: () => Promise<RawAnswer>,
  readCpu: ReadCpuTime,
  tally: Tally,
): Promise<Measured> {
  const once = async (): Promise<Measured> => {
    const before = await readCpu();
    const start = await readCpu();
    const answer = await ask();
    const end = await readCpu();
    tally.readings.push(start - before);
    return { answer, cpuMs: end - start };
  };
  const first = await once();
  if (first.answer.status === 200 || first.cpuMs < LIMIT_MS) return first;
  tally.repeated += 1;
  const again = [await once(), await once()];
  return { ...first, cpuMs: Math.min(first.cpuMs, ...again.map(({ cpuMs }) => cpuMs)) };
}

/** How many rows there are that end a session or a token. */
async function countEnded({ db }: RequestDeps): Promise<number> {
  const { rows } = await db.raw<{ rows: { ended: number }[] }>(
    `SELECT (SELECT count(*) FROM token_family WHERE revoked_at IS NOT NULL)
       + (SELECT count(*) FROM blacklisted_token) AS ended`,
  );
  return rows[0]?.ended ?? 0;
}
