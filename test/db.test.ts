import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { connect, DatabaseInUse, isUnavailable, isUnstorable } from '../src/db.ts';
import { migrateDown, migrateLatest, migrationStatus } from '../src/schema.ts';
import { testConfig } from './support/config.ts';
import { createDatabase } from './support/database.ts';

const temporaryDirectory = (): string => mkdtempSync(path.join(os.tmpdir(), 'latchkey-db-'));

test('every migration can be taken back and applied again', async (t) => {
  const db = await createDatabase(t);
  const { applied } = await migrationStatus(db);

  const takenBack: string[] = [];
  for (const _ of applied) takenBack.push(...(await migrateDown(db)));

  t.deepEqual(takenBack, applied.toReversed());
  t.deepEqual((await migrationStatus(db)).pending, applied);
  const { rows } = await db.raw(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE 'migrations%'`,
  );
  t.deepEqual(rows, []);
  t.deepEqual(await migrateLatest(db), applied);
});

test('a second process on the embedded database is refused with one sentence, and let in when the first has died', async (t) => {
  t.timeout(60_000);
  const directory = temporaryDirectory();
  const config = testConfig({ DATA_DIR: directory });
  const first = await connect(config);

  const error = await t.throwsAsync(connect(config), { instanceOf: DatabaseInUse });
  t.regex(error.message, /is in use by another process: stop that one first/);

  await first.close();
  await killWhileOpen(directory);
  const next = await connect(config);
  t.deepEqual((await next.db.raw('SELECT count(*) AS kept FROM kept')).rows, [{ kept: 1 }]);
  await next.close();
});

// Another process opens the database, commits a row, and is killed without a chance to clean up.
async function killWhileOpen(directory: string): Promise<void> {
  const source = new URL('../src/', import.meta.url).href;
  const script = `
    const { connect } = await import('${source}db.ts');
    const { loadConfig } = await import('${source}config.ts');
    const { db } = await connect(loadConfig({ DATA_DIR: ${JSON.stringify(directory)} }));
    await db.raw('CREATE TABLE kept AS SELECT 1');
    process.kill(process.pid, 'SIGKILL');`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  await run.catch(() => undefined);
}

const withCode = (code: string): Error => Object.assign(new Error('x'), { code });

test('errors that say "not now" are told from errors about a value and from our own faults', (t) => {
  const unavailable = ['ECONNREFUSED', '57P01', '53300', '08006', '57014', '55P03', '40001'];
  const unstorable = ['22P02', '22003', '22021', '23503', '23505'];

  t.true(unavailable.map(withCode).every(isUnavailable));
  t.true(unstorable.map(withCode).every(isUnstorable));
  for (const message of [
    'Connection terminated unexpectedly',
    'select 1 - Client has encountered a connection error and is not queryable',
    'timeout exceeded when trying to connect',
  ])
    t.true(isUnavailable(new Error(message)), message);
  for (const error of [withCode('42703'), withCode('23514'), new TypeError('x'), 'x', undefined]) {
    t.false(isUnavailable(error));
    t.false(isUnstorable(error));
  }
});
