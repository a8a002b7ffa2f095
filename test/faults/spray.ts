import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { startProgress } from '../../src/commands/progress.ts';
import { createAccount } from '../../src/accounts/accounts.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { atLeast, exactly, measured } from '../bench/figure.ts';
import type { Figure, Finding } from '../bench/figure.ts';
import { exchange } from '../bench/http-client.ts';
import { startPostgres } from '../bench/postgres.ts';
import { openStage } from '../bench/service.ts';

// One password tried for each of many names, from many addresses in turn, on two replicas; one of the names is a user,
// who logs in from home all the while. Every hash that is computed ends in a 401, so that those are counted.

const ADDRESSES = 1000;
const LIMIT_OF_ADDRESS = 10;
const AT_A_TIME = 24;
const PASSWORD = 'the one that is right 9';
const SETTINGS = {
  NODE_ENV: 'test',
  BCRYPT_ROUNDS: '4',
  THROTTLE_ENABLED: 'true',
  THROTTLE_LOGIN: `${LIMIT_OF_ADDRESS}/h`,
  TRUSTED_PROXIES: '127.0.0.1',
};

export const spray: Figure = {
  name: 'spray',
  summary: 'One password tried for many names, from many addresses',
  conditions: `two replicas, ${ADDRESSES} addresses, THROTTLE_LOGIN=${LIMIT_OF_ADDRESS}/h, bcrypt at cost 4`,
  rounds: 50_000,
  roundsAre: 'names',
  expectedSeconds: 90,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const { deps, replicas } = await openStage(url, SETTINGS, { replicas: 2 }, scope);
    const password = await hashPassword(PASSWORD, deps.config);
    await createAccount({ username: 'victim', password }, deps);
    const logIn = async (from: string, json: object, turn: number): Promise<number> => {
      const { origin = '' } = replicas[turn % 2] ?? {};
      const headers = { 'X-Forwarded-For': from };
      return (await exchange(origin, '/login/', { method: 'POST', json, headers })).status;
    };

    const own: number[] = [];
    let isOver = false;
    const living = (async () => {
      for (let turn = 0; !isOver; turn += 1) {
        own.push(await logIn('198.51.100.7', { username: 'victim', password: PASSWORD }, turn));
        await pause(200);
      }
    })();
    const statuses = new Map<number, number>();
    const limit = pLimit(AT_A_TIME);
    const progress = startProgress('Names', rounds);
    let done = 0;
    const guesses = Array.from({ length: rounds }, (_, index) =>
      limit(async () => {
        const address = `10.0.${Math.floor((index % ADDRESSES) / 250)}.${(index % ADDRESSES) % 250}`;
        // The victim is among the names, and is tried from everywhere.
        const username = index % 500 === 0 ? 'victim' : `name-${index}`;
        const status = await logIn(address, { username, password: 'Password1' }, index);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        progress.advanceTo((done += 1));
      }),
    );
    await Promise.all(guesses);
    isOver = true;
    await living;
    progress.stop();
    return findingsOf(statuses, own, Math.min(rounds, ADDRESSES * LIMIT_OF_ADDRESS));
  },
};

function findingsOf(statuses: Map<number, number>, own: number[], limit: number): Finding[] {
  const of = (status: number): number => statuses.get(status) ?? 0;
  const known = of(401) + of(429) + of(503);
  const all = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  return [
    measured('attempts', all),
    {
      what: 'passwords hashed for them (401)',
      value: of(401).toLocaleString('en'),
      goal: `≤ ${limit.toLocaleString('en')}`,
      isMet: of(401) <= limit,
    },
    measured('refused unhashed (429)', of(429)),
    measured('refused for want of a free slot (503)', of(503)),
    exactly('other answers', all - known, 0),
    atLeast('logins of the user from home meanwhile', own.length, 3),
    exactly('of them refused', own.filter((status) => status !== 200).length, 0),
  ];
}
