import { randomInt, randomUUID } from 'node:crypto';
import { startProgress } from '../../src/commands/progress.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { insertUser } from '../../src/users/repository.ts';
import { aucOf } from './auc.ts';
import { exactly, measured, percentile } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { disconnect, exchange } from './http-client.ts';
import type { RawAnswer } from './http-client.ts';
import { startPostgres } from './postgres.ts';
import { openStage } from './service.ts';
import { inTurn } from './turns.ts';

// A login is refused for an unknown name, an account that is inactive or has no usable password, or a wrong password,
// and nothing may tell which: neither a byte of the answer but those of Date, nor its time. At /login/ and
// /auth/token/, each refusal of the first three kinds is paired with one for a wrong password; the pairs of the kinds
// take turns, the order within a pair is drawn, and nothing else runs. The time is the caller's, from the request to
// the end of the answer. The area under the ROC curve says how often a refusal of the kind took longer than one for a
// wrong password: 0.5 tells nothing; its interval is DeLong's of 95 %. Hashes cost 2^7 rounds here instead of 2^12,
// some 8 ms: what is not hashing then stands out more, not less, since the noise of the hashing grows with it.

const COST = '7';
const ACCOUNTS = 20;
const WARM_UP = 30;
const FARTHEST = 0.05;
// The server ends a connection after a thousand requests, and says so in the last answers.
const REQUESTS_PER_CONNECTION = 500;

const ENDPOINTS = ['/login/', '/auth/token/'] as const;
const KINDS = ['unknown name', 'inactive account', 'no usable password'] as const;
type Kind = (typeof KINDS)[number] | 'wrong password';

export const refusals: Figure = {
  name: 'refusals',
  summary: 'The refusal of a login does not tell why',
  conditions: `a round is a pair of each kind at each endpoint; one server process, bcrypt at cost ${COST}`,
  rounds: 1000,
  expectedSeconds: 170,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    // Production wants hashes that cost more.
    const settings = { NODE_ENV: 'test', BCRYPT_ROUNDS: COST };
    const { deps, replicas } = await openStage(url, settings, { replicas: 1 }, scope);
    const { origin } = inTurn(replicas, 0);
    const names = await createAccounts(deps);
    await measureRefusals(WARM_UP, names, origin);
    return findingsOf(await measureRefusals(rounds, names, origin));
  },
};

type Names = (kind: Kind) => string;

/** Each call gives a name of the kind, all of one length. */
async function createAccounts(deps: RequestDeps): Promise<Names> {
  const create = (fields: { is_active?: boolean; password?: string }): Promise<string[]> =>
    Promise.all(
      Array.from({ length: ACCOUNTS }, async () => {
        const password = fields.password ?? (await hashPassword(randomUUID(), deps.config));
        const user = { is_active: true, ...fields, username: newName(), password };
        return (await insertUser(user, deps.db)).username;
      }),
    );
  const accounts = {
    'wrong password': await create({}),
    'inactive account': await create({ is_active: false }),
    'no usable password': await create({ password: '!' }),
  };
  return (kind) =>
    kind === 'unknown name' ? newName() : inTurn(accounts[kind], randomInt(ACCOUNTS));
}

const newName = (): string => `bench-${randomUUID()}`;

/** Milliseconds of the two refusals of each pair. */
interface Times {
  endpoint: string;
  kind: Kind;
  ofKind: number[];
  ofWrongPassword: number[];
}

interface Measured {
  times: Times[];
  /** Of each endpoint: the different answers. */
  answers: Map<string, Set<string>>;
}

async function measureRefusals(rounds: number, names: Names, origin: string): Promise<Measured> {
  const times = ENDPOINTS.flatMap((endpoint) =>
    KINDS.map((kind): Times => ({ endpoint, kind, ofKind: [], ofWrongPassword: [] })),
  );
  const answers = new Map(ENDPOINTS.map((endpoint) => [endpoint as string, new Set<string>()]));
  const ask = async (endpoint: string, kind: Kind): Promise<number> => {
    const json = { username: names(kind), password: randomUUID() };
    const start = performance.now();
    const answer = await exchange(origin, endpoint, { method: 'POST', json });
    const took = performance.now() - start;
    answers.get(endpoint)?.add(textOf(answer));
    return took;
  };
  const progress = startProgress('Pairs', rounds);
  for (let round = 0; round < rounds; round += 1) {
    if (round % Math.floor(REQUESTS_PER_CONNECTION / (2 * times.length)) === 0) {
      disconnect();
      await exchange(origin, '/healthz');
    }
    for (const { endpoint, kind, ofKind, ofWrongPassword } of times) {
      const first = randomInt(2) === 0;
      if (first) ofKind.push(await ask(endpoint, kind));
      ofWrongPassword.push(await ask(endpoint, 'wrong password'));
      if (!first) ofKind.push(await ask(endpoint, kind));
    }
    progress.advanceTo(round + 1);
  }
  progress.stop();
  return { times, answers };
}

/** All that came, but the time of the day. */
function textOf({ status, rawHeaders, text }: RawAnswer): string {
  const date = rawHeaders.indexOf('Date');
  return JSON.stringify([status, rawHeaders.toSpliced(date + 1, date < 0 ? 0 : 1), text]);
}

function findingsOf({ times, answers }: Measured): Finding[] {
  return [
    measured(
      'pairs in all',
      times.reduce((sum, { ofKind }) => sum + ofKind.length, 0),
    ),
    ...[...answers].map(([endpoint, texts]) =>
      exactly(`${endpoint} different answers to all of them`, texts.size, 1),
    ),
    ...times.map(({ endpoint, kind, ofKind, ofWrongPassword }): Finding => {
      const { value, low, high } = aucOf(ofKind, ofWrongPassword);
      const [area, from, to] = [value, low, high].map((number) => number.toFixed(3));
      return {
        what: `${endpoint} ${kind}: area under the curve`,
        value: `${area} (${from} to ${to})`,
        goal: '0.45 to 0.55',
        isMet: Math.abs(value - 0.5) <= FARTHEST,
      };
    }),
    ...times.flatMap(({ endpoint, kind, ofKind, ofWrongPassword }) => [
      measured(`${endpoint} ${kind}: p50`, percentile(ofKind, 0.5), 'ms'),
      measured(`${endpoint} wrong password beside it: p50`, percentile(ofWrongPassword, 0.5), 'ms'),
    ]),
  ];
}
