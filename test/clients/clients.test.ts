import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { insertProduct } from '../../src/products/repository.ts';
import { startApp } from '../support/app.ts';
import { createUser } from '../support/factories.ts';
import { startMock } from '../support/mock.ts';
import { clients, languages } from './clients.ts';
import type { TestedClient } from './clients.ts';
import { run } from './commands.ts';
import { findOperations, operationIds } from './operations.ts';
import { writeResults } from './results.ts';
import type { Result } from './results.ts';
import { PRODUCTS, STEPS } from './steps.ts';

const work = mkdtempSync(path.join(tmpdir(), 'latchkey-clients-'));
const found: Record<string, Omit<Result, 'since'>> = {};
let mock = '';
const stops: (() => unknown)[] = [];

test.before(async () => {
  mock = await startMock({ teardown: (stop) => void stops.push(stop) });
});

test.after.always('the results are kept', async () => {
  for (const stop of stops) stop();
  rmSync(work, { recursive: true });
  await writeResults(found);
});

for (const client of clients) {
  const name = `${client.language} by ${client.generator}`;
  const missing = client.version === undefined ? client.generator : client.language;
  if (client.version === undefined || languages[client.language] === undefined)
    test.skip(`the client in ${name}: ${missing} is not installed`, () => {});
  else {
    test.serial(`the client in ${name} has every operation, and compiles`, (t) => build(t, client));
    test.serial(`the client in ${name} takes every step at the service`, (t) =>
      walkService(t, client),
    );
    test.serial(`the client in ${name} takes every step at the mock`, (t) => walkMock(t, client));
  }
}

const placeOf = ({ folder }: TestedClient) => ({
  folder: path.join(import.meta.dirname, folder),
  work: path.join(work, folder),
});

async function build(t: ExecutionContext, client: TestedClient): Promise<void> {
  const { folder, generator, version, language, note } = client;
  const result: Omit<Result, 'since'> = {
    language: `${language} ${languages[language]}`,
    generator: `${generator} ${version}`,
    operations: 'none',
    compiles: false,
    service: 'none',
    mock: 'none',
    ...(note !== undefined && { note }),
  };
  found[folder] = result;
  const place = placeOf(client);
  mkdirSync(place.work);

  for (const command of client.build(place)) t.is((await run(command)).complaint, undefined);
  result.compiles = true;
  const operations = findOperations(client.generated(place));
  result.operations = `${operations.length} of ${operationIds.length}`;

  t.deepEqual(operations, operationIds);
}

async function walkService(t: ExecutionContext, client: TestedClient): Promise<void> {
  const app = await startApp(t, {}, { isRealTime: true });
  const user = await createUser(app, { username: 'alice' });
  for (let n = 0; n < PRODUCTS; n += 1)
    await insertProduct({ name: `Chair ${n}`, price: '9.90', owner: user.id }, app.db);

  await walk(t, client, 'service', app.base, user.plain);

  const names = await app.db('product').where({ owner: user.id }).orderBy('id').pluck('name');
  t.is(names.at(-1), 'Oak chair');
  t.is(names.length, PRODUCTS + 1);
}

async function walkMock(t: ExecutionContext, client: TestedClient): Promise<void> {
  await walk(t, client, 'mock', mock, 'correct-horse-battery');
}

async function walk(
  t: ExecutionContext,
  client: TestedClient,
  target: 'service' | 'mock',
  base: string,
  password: string,
): Promise<void> {
  t.true(found[client.folder]?.compiles, 'it compiles');
  const { env, ...command } = client.start(placeOf(client));
  const settings = {
    LATCHKEY_URL: base,
    LATCHKEY_USERNAME: 'alice',
    LATCHKEY_PASSWORD: password,
  };

  const { stdout, complaint } = await run({ ...command, env: { ...env, ...settings } });

  const lines: unknown[] = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const right = STEPS[target].filter((step, n) => isDeepStrictEqual(step, lines[n]));
  Object.assign(found[client.folder] ?? {}, {
    [target]: `${right.length} of ${STEPS[target].length}`,
  });
  t.is(complaint, undefined);
  t.deepEqual(lines, STEPS[target]);
}
