import type { Knex } from 'knex';
import { createAccount } from '../../src/accounts/accounts.ts';
import { createLog } from '../../src/log.ts';
import { startLive } from '../../src/revocation/live.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { claimsOf } from '../jwt/forge.ts';
import type { TestApp } from '../support/app.ts';
import { testConfig } from '../support/config.ts';
import { channelOf } from '../support/database.ts';
import { exampleValue } from '../support/examples.ts';

// The people, tokens and things of the contract's examples. What an example shows is taken from there.

interface Page<Entry> {
  results: Entry[];
}
interface Product {
  id: number;
}
interface Session {
  id: string;
  current: boolean;
}

export const LOGIN_TIME = new Date('2026-11-23T10:00:00.123Z');
/** When everything happens but the logins. Alice's access token is good until 10:05. */
export const STORY_TIME = new Date('2026-11-23T10:04:00.500Z');

const login = exampleValue('login', 'pair') as { access: string; refresh: string };
export const ACCESS = login.access;
export const REFRESH = login.refresh;
const SLIDING = (exampleValue('obtainSlidingToken', 'sliding') as { token: string }).token;

const { token: ALICES } = exampleValue('obtainAuthToken', 'token') as { token: string };
export const BOBS = 'b0b6d5c4f3a2918070615243546576879809a1b2';
/** Of staff. */
export const CAROLS = 'ca401e2f7d8b6a59483726150493a2b1c0d9e8f7';
/** Of a user who is inactive. */
export const DAVES = 'da4e0f1e2d3c4b5a69788796a5b4c3d2e1f00918';
export const DAVES_ID = 4;

export const CLIENT_SECRET = 'the password of the service that asks about tokens';
const PASSWORD = hashPassword('correct-horse-battery', testConfig());

const products = ['first_page', 'last_page'].flatMap(
  (name) => (exampleValue('listProducts', name) as Page<Product>).results,
);
const listed = ['two_sessions', 'last_page'].flatMap(
  (name) => (exampleValue('listSessions', name) as Page<Session>).results,
);

/** An idempotency key by which Alice has added something else. */
export const USED_KEY = 'c0ffee00-1d1e-4f2a-9b3c-4d5e6f708192';

/** A session that has ended. */
export const ENDED = '01a1e4a9-5f30-7b61-92d7-3c8f0e5a7b14';

// Each row of the story is in one of them.
const TABLES = ['users', 'authtoken', 'token_family', 'product', 'idempotency_key', 'revocation'];

/** The world as the examples have it, in an empty database. */
export async function writeStory({ db, deps, clock }: TestApp): Promise<void> {
  clock.set(STORY_TIME);
  const password = await PASSWORD;
  for (const account of [
    { id: 1, username: 'alice', email: 'alice@example.org', token: ALICES },
    { id: 2, username: 'bob', email: 'bob@example.org', token: BOBS },
    { id: 3, username: 'carol', token: CAROLS, is_staff: true },
    { id: DAVES_ID, username: 'dave', token: DAVES, is_active: false },
  ])
    await createAccount({ ...account, password }, deps);
  await db('product').insert(products);
  await db('idempotency_key').insert({
    user_id: 1,
    operation: 'createProduct',
    key: USED_KEY,
    fingerprint: Buffer.alloc(32),
    status: 201,
    body: '{}',
    expires_at: new Date(STORY_TIME.getTime() + 86_400_000),
  });
  await db('token_family').insert([
    ...listed.map(({ current, ...shown }) => ({
      ...session(shown.id, current ? claimsOf(REFRESH).jti : `jti of ${shown.id}`),
      ...shown,
    })),
    session(ENDED, 'ended'),
  ]);
  // Not at once: the replicas hear of a session's end, not of sessions that begin as ended ones.
  await db('token_family')
    .where('id', ENDED)
    .update({ revoked_at: LOGIN_TIME, revoked_reason: 'blacklist' });
  const copies = TABLES.map((table) => `CREATE TABLE story.${table} AS TABLE ${table};`);
  await db.raw(`CREATE SCHEMA story; ${copies.join(' ')}`);
}

/**
 * The same world again, whatever has become of it, and as it is before an operation that succeeds. The service forgets
 * what it knew.
 */
export async function retellStory(app: TestApp, operationId: string): Promise<void> {
  const { db, deps, clock } = app;
  clock.set(STORY_TIME);
  const copies = TABLES.map(
    (table) => `INSERT INTO ${table} OVERRIDING SYSTEM VALUE TABLE story.${table}`,
  );
  await db.raw(`TRUNCATE ${TABLES.join()} CASCADE; ${copies.join('; ')}`);
  await forget({ db, deps });
  await BEFOREHAND[operationId]?.(app);
}

const session = (id: string, jti: unknown): object => ({
  id,
  user_id: 1,
  token_version: 0,
  current_jti: jti,
  created_at: LOGIN_TIME,
  expires_at: new Date(LOGIN_TIME.getTime() + 86_400_000),
});

const followers = new WeakMap<Knex, { stop: () => unknown }>();

// An ended session stays ended in the memory of a replica, whatever a test does to its row.
async function forget({ db, deps }: Pick<TestApp, 'db' | 'deps'>): Promise<void> {
  await followers.get(db)?.stop();
  const live = await startLive({ openChannel: channelOf(db) }, deps.config, createLog(deps.config));
  followers.set(db, live);
  deps.live = live;
}

/** What has to be otherwise for an operation to succeed. */
const BEFOREHAND: Record<string, (app: TestApp) => Promise<unknown>> = {
  // Nobody is there yet.
  registerUser: ({ db }) =>
    db.raw(
      `TRUNCATE users CASCADE; SELECT setval(pg_get_serial_sequence('users', 'id'), 1, false)`,
    ),
  createProduct: async ({ db }) => {
    await db('product').where('id', '>', 41).delete();
    await db.raw(`SELECT setval(pg_get_serial_sequence('product', 'id'), 41)`);
  },
  refreshSlidingToken: ({ db }) =>
    db('token_family').insert(session(String(claimsOf(SLIDING).sid), claimsOf(SLIDING).jti)),
  login: atLogin,
  obtainSlidingToken: atLogin,
};

async function atLogin({ clock }: TestApp): Promise<void> {
  clock.set(LOGIN_TIME);
}
