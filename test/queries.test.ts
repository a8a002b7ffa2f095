import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { contractDocument } from '../src/contract.ts';
import { readOperations } from './contract/matrix/operations.ts';
import { createCaller, SCHEMES } from './queries/callers.ts';
import { REQUESTS } from './queries/requests.ts';
import { startApp } from './support/app.ts';
import { createUser } from './support/factories.ts';
import { watchStatements } from './support/statements.ts';

const schemes = ['token', 'JWT'] as const;
// As it is by default.
const THROTTLED = { THROTTLE_ENABLED: true };

for (const scheme of schemes)
  test(`each operation executes the statements that are written down for it, with a caller known by ${scheme}`, async (t) => {
    const app = await startApp(t, THROTTLED);
    const rotating = await startApp(
      t,
      { ROTATE_REFRESH_TOKENS: true, ...THROTTLED },
      { db: app.db },
    );
    const during = watchStatements(app.db);

    for (const [name, statements, ask] of REQUESTS) {
      const caller = await createCaller(app, rotating, scheme);
      const executed = await during(async () => {
        const { status } = await ask(caller);
        t.true(status < 300, `${name}: ${status}`);
      });
      t.is(executed.length, statements, [name, ...executed].join('\n'));
    }
  });

test('a JWT asks for its user at the first request on a replica, an opaque token for itself as well, and none later', async (t) => {
  const app = await startApp(t);
  const during = watchStatements(app.db);

  for (const [scheme, statements] of [
    ['JWT', 1],
    ['token', 2],
  ] as const) {
    const authorization = await SCHEMES[scheme](app);
    const ask = () => app.client.get('/', { authorization });
    await app.deps.live.catchUp();
    t.deepEqual([(await during(ask)).length, (await during(ask)).length], [statements, 0], scheme);
  }
});

test('the login that makes a token anew executes five statements more than one that finds it', async (t) => {
  const app = await startApp(t, THROTTLED);
  const during = watchStatements(app.db);
  const { username, plain: password } = await createUser(app);
  const ask = () => app.client.post('/auth/token/', { json: { username, password } });
  await app.db('authtoken').delete();

  t.deepEqual([(await during(ask)).length, (await during(ask)).length], [14, 9]);
});

test('no operation of the contract is without its number', (t) => {
  const ids = readOperations(contractDocument()).map(({ id }) => id);

  const named = REQUESTS.map(([name]) => name.split(' ', 1)[0]);

  t.deepEqual([...new Set(named)].toSorted(), ids.toSorted());
});

test('the README lists the requests by their number of statements', (t) => {
  const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
  const [, section = ''] = readme.split('### Statements per operation\n');
  const [table = ''] = section.split(/^#/m);

  const rows = [...table.matchAll(/^\| (\d+) +\| (.*?) *\|$/gm)].map(([, count, names = '']) => [
    Number(count),
    names.replaceAll('`', '').split(', '),
  ]);

  const counts = [...new Set(REQUESTS.map(([, statements]) => statements))];
  const namesOf = (count: number): string[] =>
    REQUESTS.filter(([, statements]) => statements === count).map(([name]) => name);
  t.deepEqual(
    rows,
    counts.toSorted((one, other) => one - other).map((count) => [count, namesOf(count)]),
  );
});
