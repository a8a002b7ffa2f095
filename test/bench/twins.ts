import { startProgress } from '../../src/commands/progress.ts';
import type { User } from '../../src/db.ts';
import type { RequestDeps } from '../../src/deps.ts';
import { exactly } from './figure.ts';
import type { Finding } from './figure.ts';
import { exchange, refresh } from './http-client.ts';
import { openSession } from './sessions.ts';
import type { Session } from './sessions.ts';

// The order of the group of P-256.
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other text of an ES256 token that verifies: of a signature (r, s) also (r, n - s) is one. */
function twinOf(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const other = Buffer.from((N - s).toString(16).padStart(64, '0'), 'hex');
  return [
    header,
    payload,
    Buffer.concat([bytes.subarray(0, 32), other]).toString('base64url'),
  ].join('.');
}

const twinsOf = ({ access, refresh: token, ...rest }: Session): Session => ({
  ...rest,
  access: twinOf(access),
  refresh: twinOf(token),
});

interface Ending {
  name: string;
  /** Resolves to the status. */
  end: (session: Session, origin: string) => Promise<number>;
  isGood: (session: Session, origin: string) => Promise<boolean>;
}

const useAccess = async ({ access }: Session, origin: string): Promise<boolean> =>
  (await exchange(origin, '/products/', { bearer: access })).status === 200;

const useRefresh = async ({ refresh: token }: Session, origin: string): Promise<boolean> =>
  (await refresh(origin, token)).status === 200;

const ask = async ({ refresh: token }: Session, origin: string): Promise<boolean> =>
  (await exchange(origin, '/verify_token/', { method: 'POST', json: { token } })).status === 200;

async function post(origin: string, path: string, json: object): Promise<number> {
  return (await exchange(origin, path, { method: 'POST', json })).status;
}

const ENDINGS: readonly Ending[] = [
  {
    name: 'rotated',
    end: async ({ refresh: token }, origin) => (await refresh(origin, token)).status,
    isGood: useRefresh,
  },
  {
    name: 'blacklisted',
    end: ({ refresh: token }, origin) => post(origin, '/blacklist_token/', { refresh: token }),
    isGood: useRefresh,
  },
  {
    name: 'revoked as an access token',
    end: ({ access: token }, origin) => post(origin, '/auth/revoke/', { token }),
    isGood: useAccess,
  },
];

/** Ends `count` tokens in each way by the one text, and uses the other; each text takes its turn as the one. */
export async function tryTwins(
  count: number,
  user: User,
  deps: RequestDeps,
  origin: string,
): Promise<Finding[]> {
  let [accepted, askedFor] = [0, 0];
  const refused = new Map(ENDINGS.map(({ name }) => [name, 0]));
  const progress = startProgress('ES256 twins', count);
  for (let index = 0; index < count; index += 1) {
    for (const { name, end, isGood } of ENDINGS) {
      const session = await openSession(user, deps);
      const pair = [session, twinsOf(session)];
      const [one = session, other = session] = index % 2 === 0 ? pair : pair.toReversed();
      for (const use of [useAccess, ask]) {
        askedFor += 1;
        if (await use(twinsOf(session), origin)) accepted += 1;
      }
      const hasEnded = (await end(one, origin)) === 200;
      if (hasEnded && !(await isGood(other, origin)))
        refused.set(name, (refused.get(name) ?? 0) + 1);
    }
    progress.advanceTo(index + 1);
  }
  progress.stop();
  return [
    exactly('ES256: twins (r, n - s) accepted while their token is good', accepted, askedFor),
    ...[...refused].map(([name, times]) =>
      exactly(`ES256: refused since the twin was ${name}`, times, count),
    ),
  ];
}
