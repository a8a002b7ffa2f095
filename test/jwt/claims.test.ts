import test from 'ava';
import { newTimes, userIdOf } from '../../src/jwt/claims.ts';
import { testConfig } from '../support/config.ts';
import { startApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';
import { refreshed } from './endpoints.ts';
import { claimsOf } from './forge.ts';

const config = testConfig();

test('a user id is a positive 32-bit integer, as a number or as text, in one spelling', (t) => {
  for (const [value, id] of [
    ['1', 1],
    [1, 1],
    ['2147483647', 2_147_483_647],
    ['2147483648', undefined],
    ['99999999999999999999', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['01', undefined],
    [' 1', undefined],
    ['1 ', undefined],
    ['1\n', undefined],
    ['1_0', undefined],
    ['1.0', undefined],
    ['1e1', undefined],
    ['0x1', undefined],
    ['\u0661', undefined],
    ['', undefined],
    [1.5, undefined],
    [1e21, undefined],
    [true, undefined],
    [null, undefined],
    [['1'], undefined],
    [{ toString: '1' }, undefined],
    [undefined, undefined],
  ] as const)
    t.is(userIdOf({ user_id: value }, config), id, JSON.stringify(value));
});

test('a jti is 32 hexadecimal digits that sort by the time of their making', (t) => {
  const earlier = newTimes(300, new Date('2026-11-23T12:00:00.001Z'));
  const later = newTimes(300, new Date('2026-11-23T12:00:00.002Z'));

  t.regex(earlier.jti, /^[0-9a-f]{32}$/);
  t.true(earlier.jti < later.jti);
});

test('times are whole seconds, and exp counts from iat', (t) => {
  const { iat, exp } = newTimes(300, new Date('2026-11-23T12:00:00.999Z'));

  t.deepEqual({ iat, exp }, { iat: 1_795_435_200, exp: 1_795_435_500 });
});

test('claims of our own are computed anew at each refresh, and cannot take the place of ours', async (t) => {
  const app = await startApp(t, {
    ROTATE_REFRESH_TOKENS: true,
    CUSTOM_CLAIMS: '{"plan": "gold", "role": "none"}',
  });
  app.deps.customClaims = ({ is_staff, username }) => ({
    role: is_staff ? 'staff' : 'user',
    username,
    user_id: '1000',
    sid: 'mine',
    exp: 1,
    jti: 'mine',
    token_type: 'access',
  });
  const user = await createUser(app, { is_staff: true });
  const own = { plan: 'gold', username: user.username, user_id: String(user.id) };

  const first = await logIn(app, user);
  await app.db('users').where({ id: user.id }).update({ is_staff: false });
  const second = await refreshed(t, app, first.refresh);
  app.deps.customClaims = () => ({});
  const third = await refreshed(t, app, second.refresh);

  for (const token of [first.access, first.refresh])
    t.like(claimsOf(token), { ...own, role: 'staff' });
  for (const token of [second.access, second.refresh])
    t.like(claimsOf(token), { ...own, role: 'user' });
  t.is(claimsOf(third.access).username, undefined);
  t.like(claimsOf(third.refresh), { plan: 'gold', role: 'none', token_type: 'refresh' });
  t.is(claimsOf(third.access).sid, claimsOf(first.access).sid);
});
