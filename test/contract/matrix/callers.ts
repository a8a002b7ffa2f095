import { randomUUID } from 'node:crypto';
import { hashPassword } from '../../../src/users/passwords.ts';
import type { NewUser } from '../../../src/users/repository.ts';
import { withClaims } from '../../jwt/forge.ts';
import type { TestApp } from '../../support/app.ts';
import { createUser, logIn } from '../../support/factories.ts';
import type { Session, TestUser } from '../../support/factories.ts';

/** The password of the contract's examples, so that they are right for whoever sends them. */
const PASSWORD = 'correct-horse-battery';
export const CLIENT_SECRET = 'the secret of a service that asks about tokens';

export interface Caller {
  name: string;
  /** The security scheme of the credentials; undefined where there are none. */
  scheme: string | undefined;
  /** Credentials are of the scheme, and worth nothing. */
  isBad: boolean;
  /** What the object of the request belongs to, where it belongs to one user. */
  isOwner: boolean;
  isClient: boolean;
  fields: Partial<NewUser>;
}

export interface Account {
  user: TestUser;
  session: Session;
}

export async function createAccount(app: TestApp, fields: Partial<NewUser>): Promise<Account> {
  const password = await hashPassword(PASSWORD, app.deps.config);
  const username = `caller-${randomUUID()}`;
  const user = { ...(await createUser(app, { username, password, ...fields })), plain: PASSWORD };
  return { user, session: await logIn(app, user) };
}

type Credentials = (account: Account, app: TestApp) => string | Promise<string>;

const token: Credentials = ({ user }) => `Token ${user.token}`;
const bearer: Credentials = ({ session }) => `Bearer ${session.access}`;
const basic = (secret: string): string =>
  `Basic ${Buffer.from(`introspection:${secret}`).toString('base64')}`;

/** By security scheme of the contract: its good credentials, and each way in which they can be bad. */
export const CREDENTIALS: Record<string, { good: Credentials; bad: Record<string, Credentials> }> =
  {
    tokenAuth: {
      good: token,
      // An opaque token does not expire.
      bad: {
        'bad token': () => `Token ${'0'.repeat(40)}`,
        revoked: async (account, app) => {
          await app.client.post('/auth/token/logout/', {
            authorization: await token(account, app),
          });
          return token(account, app);
        },
        inactive: async (account, app) => {
          await deactivate(account, app);
          return token(account, app);
        },
      },
    },
    bearerJWT: {
      good: bearer,
      bad: {
        'bad token': ({ session }) => `Bearer ${session.access.replace(/[^.]+$/, 'A'.repeat(43))}`,
        expired: ({ session }, app) =>
          `Bearer ${withClaims(session.access, { exp: 1, iat: 0 }, app)}`,
        revoked: async (account, app) => {
          await app.client.post('/blacklist_token/', {
            json: { refresh: account.session.refresh },
          });
          return bearer(account, app);
        },
        inactive: async (account, app) => {
          await deactivate(account, app);
          return bearer(account, app);
        },
      },
    },
    clientBasic: {
      good: () => basic(CLIENT_SECRET),
      bad: { 'bad token': () => basic('another secret') },
    },
  };

async function deactivate({ user }: Account, { db, deps }: TestApp): Promise<void> {
  await db('users').where({ id: user.id }).update({ is_active: false });
  await deps.live.catchUp();
}

const USERS: [name: string, isOwner: boolean, fields: Partial<NewUser>][] = [
  ['other user', false, {}],
  ['owner', true, {}],
  ['staff', false, { is_staff: true }],
  ['superuser', false, { is_superuser: true }],
];

/** Everybody who may come, by every security scheme. Throws for a scheme that has no credentials here. */
export function callersOf(schemes: readonly string[]): Caller[] {
  const nobody = { isBad: false, isOwner: true, isClient: false, fields: {} };
  return [
    { ...nobody, name: 'anonymous', scheme: undefined },
    ...schemes.flatMap((scheme): Caller[] => {
      const known = CREDENTIALS[scheme];
      if (!known) throw new Error(`the matrix has no credentials of the scheme ${scheme}`);
      // Whose credentials are bad could do anything with good ones.
      const bad = Object.keys(known.bad).map((name) => {
        return { ...nobody, name, scheme, isBad: true, fields: { is_staff: true } };
      });
      const good =
        scheme === 'clientBasic'
          ? [{ ...nobody, name: 'client', scheme, isClient: true }]
          : USERS.map(([name, isOwner, fields]) => ({ ...nobody, name, scheme, isOwner, fields }));
      return [...bad, ...good];
    }),
  ];
}
