import test from 'ava';
import { listAudit } from '../../src/commands/audit.ts';
import { flushExpiredTokens } from '../../src/commands/flush-expired-tokens.ts';
import { setActive } from '../../src/users/repository.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import { startThrottled } from '../throttle/throttled.ts';

/** What was noted since the last call, in its order: event, user and reason. */
function createReader({ db }: TestApp) {
  let seen = 0;
  return async () => {
    const rows = await db('audit_event').where('id', '>', seen).orderBy('id');
    seen = rows.at(-1)?.id ?? seen;
    return rows.map(({ event, user_id, reason }) => [event, user_id, reason].filter(Boolean));
  };
}

test('each act leaves its event, in the order in which they were done', async (t) => {
  const app = await startApp(t, { ROTATE_REFRESH_TOKENS: true, REFRESH_GRACE: 0 });
  const news = createReader(app);
  const { client, db } = app;

  const user = await createUser(app);
  const { id, username, plain } = user;
  const authorization = `Token ${user.token}`;
  t.deepEqual(await news(), [
    ['account_made', id],
    ['token_made', id],
  ]);

  const { refresh } = await logIn(app, user);
  t.deepEqual(await news(), [['session_started', id]]);

  await client.post('/login/', { json: { username, password: 'wrong' } });
  await client.post('/auth/token/', { json: { username: 'nobody', password: 'wrong' } });
  await client.post('/login/', { json: { username: 'nul\0', password: 'wrong' } });
  t.deepEqual(await news(), [['login_refused', id], ['login_refused']]);

  await client.post('/refresh_token/', { json: { refresh } });
  t.deepEqual(await news(), [], 'the session itself says when it was refreshed');
  await client.post('/refresh_token/', { json: { refresh } });
  t.deepEqual(await news(), [['session_ended', id, 'reuse']]);

  const { refresh: next } = await logIn(app, user);
  await client.post('/blacklist_token/', { json: { refresh: next } });
  t.deepEqual(await news(), [
    ['session_started', id],
    ['session_ended', id, 'blacklist'],
  ]);

  await client.patch('/auth/users/me/', { authorization, json: { email: 'new@example.org' } });
  await client.post('/auth/sessions/revoke_all/', { authorization, json: {} });
  t.deepEqual(await news(), [
    ['email_changed', id],
    ['sessions_ended', id],
  ]);

  const new_password = 'Tr0ub4dor & three';
  const change = { current_password: plain, new_password };
  await client.post('/auth/users/set_password/', { authorization, json: change });
  t.deepEqual(await news(), [
    ['password_changed', id],
    ['token_ended', id],
  ]);

  await setActive({ id, is_active: false }, db);
  await setActive({ id, is_active: true }, db);
  await db('users').where({ id }).update({ is_staff: true });
  await db('users').where({ id }).delete();
  t.deepEqual(await news(), [
    ['deactivated', id],
    ['activated', id],
    ['role_changed', id],
    ['account_deleted', id],
  ]);
});

test('what was taken back leaves no event', async (t) => {
  const app = await startApp(t);
  const user = await createUser(app);
  const news = createReader(app);
  await news();

  await t.throwsAsync(
    app.db.transaction(async (trx) => {
      await setActive({ id: user.id, is_active: false }, trx);
      throw new Error('never mind');
    }),
  );

  t.deepEqual(await news(), []);
});

test('addresses are noted as prefixes, and nothing that was typed or given out', async (t) => {
  const app = await startThrottled(t);
  const user = await createUser(app);
  const headers = { 'X-Forwarded-For': '2001:db8:1:2:3:4:5:6' };
  const login = (json: object) => app.client.post('/login/', { json, headers });
  const { body } = await login({ username: user.username, password: user.plain });
  await login({ username: 'typed-by-mistake', password: 'wrong' });

  const rows = await app.db('audit_event').whereNotNull('address').orderBy('id');

  t.deepEqual(
    rows.map(({ event, address }) => [event, address]),
    [
      ['session_started', '2001:db8:1:2::/64'],
      ['login_refused', '2001:db8:1:2::/64'],
    ],
  );
  const all = JSON.stringify(await app.db('audit_event').select());
  for (const secret of [
    'typed-by-mistake',
    user.plain,
    user.token,
    ...Object.values(body as object),
  ])
    t.false(all.includes(String(secret)));
});

test('audit list shows the newest first, of one user, of one kind, of late', async (t) => {
  const app = await startApp(t);
  const [alice, bob] = [await createUser(app, { username: 'alice' }), await createUser(app)];
  await logIn(app, alice);
  await app.client.post('/login/', { json: { username: 'alice', password: 'wrong' } });

  const ofAlice = await listAudit({ user: 'ａlice', limit: 100 }, app.deps);
  const lines = ofAlice.split('\n');
  t.regex(lines[0] ?? '', /^TIME +EVENT +USER +SESSION +ADDRESS +REASON$/);
  t.regex(lines[1] ?? '', /^\S+Z +login_refused +alice +- +127\.0\.0\.1 +-$/);
  t.regex(lines[2] ?? '', /^\S+Z +session_started +alice +[0-9a-f-]{36} +127\.0\.0\.1 +-$/);
  t.is(lines.length, 5);
  t.false(ofAlice.includes(bob.username));

  const refused = await listAudit({ event: 'login_refused', limit: 100, json: true }, app.deps);
  t.like(JSON.parse(refused), { event: 'login_refused', username: 'alice', user_id: alice.id });
  t.is((await listAudit({ limit: 1 }, app.deps)).split('\n').length, 2);

  await app.db('audit_event').update({ at: new Date(Date.now() - 7_200_000) });
  t.is(await listAudit({ since: 3600, limit: 100 }, app.deps), 'Nothing of that kind was noted.');
  await app.db('users').where({ id: bob.id }).delete();
  t.regex(
    await listAudit({ event: 'account_deleted', limit: 1 }, app.deps),
    new RegExp(`#${bob.id}`),
  );
});

test('what is older than AUDIT_RETENTION is deleted, and with 0 nothing is', async (t) => {
  for (const [AUDIT_RETENTION, left] of [
    ['1d', 0],
    ['0', 2],
  ] as const) {
    const app = await startApp(t, { AUDIT_RETENTION });
    await createUser(app);
    await app.db('audit_event').update({ at: new Date(Date.now() - 86_500_000) });

    await flushExpiredTokens({}, app.deps);

    t.is((await app.db('audit_event').select()).length, left);
  }
});
