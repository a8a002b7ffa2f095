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
import type { Place, TestedClient } from './client.ts';
import { run } from './commands.ts';
import { findOperations, operationIds } from './operations.ts';
import { otherClients } from './other-clients.ts';
import { redoclyClients } from './redocly-clients.ts';
import { writeResults } from './results.ts';
import type { Found } from './results.ts';
import { PRODUCTS, STEPS } from './steps.ts';

const work = mkdtempSync(path.join(tmpdir(), 'latchkey-clients-'));
const found: Record<string, Found> = {};

test.after.always('the results are kept', async () => {
  rmSync(work, { recursive: true });
  await writeResults(found);
});

for (const client of [...redoclyClients, ...otherClients]) {
  const { language, generator, tools = [] } = client;
  const name = `the client in ${language.name} by ${generator.name}`;
  const missing = [language, generator, ...tools].find(({ version }) => version === undefined);
  if (missing)
    test.skip(`${name}: ${missing.name} is not installed, or not by setup:tools`, () => {});
  else {
    test.serial(`${name} has every operation, and compiles`, (t) => build(t, client));
    test.serial(`${name} takes every step at the service`, (t) => walkService(t, client));
    test.serial(`${name} takes every step at the mock`, (t) => walkMock(t, client));
  }
}

const placeOf = ({ folder }: TestedClient): Place => ({
  folder: path.join(import.meta.dirname, folder),
  work: path.join(work, folder),
});

async function build(t: ExecutionContext, client: TestedClient): Promise<void> {
  const { folder, language, generator, note } = client;
  const result: Found = {
    language: `${language.name} ${language.version}`,
    generator: `${generator.name} ${generator.version}`,
    operations: 'none',
    compiles: false,
    service: undefined,
    mock: undefined,
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
  await walk(t, client, 'mock', await startMock(t), 'correct-horse-battery');
}

async function walk(
  t: ExecutionContext,
  client: TestedClient,
  target: 'service' | 'mock',
  base: string,
  password: string,
): Promise<void> {
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
