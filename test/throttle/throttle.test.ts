import test from 'ava';
import { prefixOf } from '../../src/throttle/throttle.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createUser } from '../support/factories.ts';
import { BEHIND_PROXY, startThrottled } from './throttled.ts';

interface Guess {
  username: string;
  password?: string;
  from?: string;
  path?: string;
}

async function guess(
  { client }: TestApp,
  { username, password = 'wrong', from = '192.0.2.1', path = '/login/' }: Guess,
) {
  return client.post(path, { json: { username, password }, headers: { 'X-Forwarded-For': from } });
}

async function statuses(times: number, ask: () => Promise<{ status: number }>): Promise<number[]> {
  const found: number[] = [];
  for (let time = 0; time < times; time += 1) found.push((await ask()).status);
  return found;
}

test('wrong passwords for one name from one address are few, whether the name exists or not', async (t) => {
  const app = await startThrottled(t, { THROTTLE_GUESS: '2/h' });
  const { username } = await createUser(app);

  const answers = [];
  for (const name of [username, 'nobody'])
    for (let time = 0; time < 3; time += 1) answers.push(await guess(app, { username: name }));

  t.deepEqual(
    answers.map(({ status }) => status),
    [401, 401, 429, 401, 401, 429],
  );
  const [known, unknown] = [answers[2], answers[5]];
  t.deepEqual(
    [...(known?.headers.keys() ?? [])].toSorted(),
    [...(unknown?.headers.keys() ?? [])].toSorted(),
  );
  t.like(known?.body, {
    detail: `Request was throttled. Expected available in ${known?.headers.get('retry-after')} seconds.`,
  });
  const wait = Number(known?.headers.get('retry-after'));
  t.true(wait > 3590 && wait <= 3600, `${wait}`);
  t.is(known?.headers.get('ratelimit'), `"guess";r=0;t=${wait}`);
  t.is(known?.headers.get('ratelimit-policy'), '"guess";q=2;w=3600');
});

test('all paths where a password is typed count together, and spellings of a name as one', async (t) => {
  const app = await startThrottled(t, {
    THROTTLE_GUESS: '3/h',
    AUTH_TOKEN_CLASSES: 'AccessToken,SlidingToken',
  });

  t.is((await guess(app, { username: 'élan' })).status, 401);
  t.is((await guess(app, { username: 'e\u0301lan', path: '/auth/token/' })).status, 400);
  t.is((await guess(app, { username: ' élan ', path: '/login/sliding/' })).status, 401);
  t.is((await guess(app, { username: 'élan', path: '/auth/token/' })).status, 429);
});

test('logins that succeed are not counted', async (t) => {
  const app = await startThrottled(t, { THROTTLE_GUESS: '1/h', THROTTLE_LOGIN: '1/h' });
  const { username, plain: password } = await createUser(app);

  t.deepEqual(await statuses(4, () => guess(app, { username, password })), [200, 200, 200, 200]);
});

test('passwords are guessed for no more names than an address may fail to log in', async (t) => {
  const app = await startThrottled(t, { THROTTLE_LOGIN: '3/h' });
  let name = 0;
  const spray = (from: string) => () => guess(app, { username: `name-${(name += 1)}`, from });

  t.deepEqual(await statuses(5, spray('2001:db8:1:2::1')), [401, 401, 401, 429, 429]);
  t.deepEqual(await statuses(1, spray('2001:db8:1:2:ffff::9')), [429], 'the same subscriber');
  t.deepEqual(await statuses(1, spray('2001:db8:1:3::1')), [401], 'another one');
});

test('guesses from everywhere do not lock a user out of the place that the account is known from', async (t) => {
  const app = await startThrottled(t, { THROTTLE_ACCOUNT: '5/h' });
  const { username, plain: password } = await createUser(app);
  t.is((await guess(app, { username, password, from: '198.51.100.7' })).status, 200);

  let host = 0;
  const attack = () => guess(app, { username, from: `203.0.113.${(host += 1)}` });

  t.deepEqual(await statuses(7, attack), [401, 401, 401, 401, 401, 429, 429]);
  t.is((await guess(app, { username, password, from: '203.0.113.99' })).status, 429);
  t.is((await guess(app, { username, password, from: '198.51.100.7' })).status, 200);
});

test('a login that was not looked at, for a fault of ours, is not counted', async (t) => {
  const app = await startThrottled(t, { THROTTLE_GUESS: '2/h' });
  const ask = () =>
    fetch(`${app.base}/login/`, {
      method: 'POST',
      body: JSON.stringify({ username: 'zoe', password: 'wrong' }),
      headers: { 'Content-Type': 'application/json' },
    });

  await app.db.schema.renameTable('users', 'users_away');
  t.deepEqual(await statuses(3, ask), [500, 500, 500]);
  await app.db.schema.renameTable('users_away', 'users');
  t.deepEqual(await statuses(3, ask), [401, 401, 429]);
});

test('replicas count together', async (t) => {
  const settings = { THROTTLE_GUESS: '2/h' };
  const here = await startThrottled(t, settings);
  const there = await startApp(t, { ...BEHIND_PROXY, ...settings }, { db: here.db });

  t.is((await guess(here, { username: 'zoe' })).status, 401);
  t.is((await guess(there, { username: 'zoe' })).status, 401);
  t.is((await guess(here, { username: 'zoe' })).status, 429);
  t.is((await guess(there, { username: 'zoe' })).status, 429);
});

test('the store names nobody', async (t) => {
  const app = await startThrottled(t);
  await guess(app, { username: 'somebody-special', from: '198.51.100.23' });

  const rows = await app.db('rate_limit').select('key');

  t.true(rows.length > 0);
  t.notRegex(JSON.stringify(rows), /somebody|198\.51|special/);
});

test('DRF’s rates for anonymous callers and for users hold in all operations', async (t) => {
  const app = await startThrottled(t, { THROTTLE_ANON: '1/d', THROTTLE_USER: '2/d' });
  const { token: key } = await createUser(app);
  const authorization = `Token ${key}`;
  const asUser = () => app.client.get('/', { authorization });
  const asNobody = () => app.client.get('/.well-known/jwks.json');

  const first = await asUser();
  t.is(first.headers.get('ratelimit-policy'), '"user";q=2;w=86400');
  t.regex(first.headers.get('ratelimit') ?? '', /^"user";r=1;t=8(6400|63\d\d)$/);
  t.deepEqual(await statuses(2, asUser), [200, 429]);
  t.deepEqual(await statuses(2, asNobody), [200, 429]);
});

test('a user who types the wrong current password is stopped, and one who changes it is not counted', async (t) => {
  const app = await startThrottled(t, { THROTTLE_PASSWORD: '2/h' });
  const { token: key } = await createUser(app);
  const change = () =>
    app.client.post('/auth/users/set_password/', {
      authorization: `Token ${key}`,
      json: { current_password: 'wrong', new_password: 'Tr0ub4dor & three' },
    });

  t.deepEqual(await statuses(3, change), [400, 400, 429]);
});

test('without its store a replica counts alone', async (t) => {
  const app = await startThrottled(t, { THROTTLE_ANON: '2/h' });
  await app.db.schema.dropTable('rate_limit');
  const ask = () => app.client.get('/.well-known/jwks.json');

  t.deepEqual(await statuses(3, ask), [200, 200, 429]);
});

test('X-Forwarded-For of a stranger is not believed', async (t) => {
  const app = await startApp(t, { THROTTLE_ENABLED: true, THROTTLE_GUESS: '1/h' });
  let host = 0;

  const ask = () => guess(app, { username: 'zoe', from: `203.0.113.${(host += 1)}` });

  t.deepEqual(await statuses(2, ask), [401, 429]);
});

for (const [ip, prefix] of [
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['2001:0db8:0001::', '2001:db8:1:0::/64'],
])
  test(`${ip} is counted as ${prefix}`, (t) => t.is(prefixOf(String(ip)), String(prefix)));
