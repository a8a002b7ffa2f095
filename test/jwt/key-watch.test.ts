import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { promoteKey, retireKey } from '../../src/commands/keys.ts';
import type { Config } from '../../src/config.ts';
import { keyring } from '../../src/jwt/keys.ts';
import { keysAreHealthy, watchKeys } from '../../src/jwt/key-watch.ts';
import { startApp } from '../support/app.ts';
import { testConfig } from '../support/config.ts';
import { until } from '../support/eventually.ts';
import { add, addCurrent, DAY, keyDeps, temporaryDirectory } from '../support/keys.ts';

interface Watched {
  directory: string;
  config: Config;
  lines: string[];
  stop: () => void;
}

/** A directory with a current key, watched by a configuration of the test's own. */
function watch(t: ExecutionContext): Watched {
  const directory = temporaryDirectory(t);
  addCurrent(directory);
  const config = testConfig({ KEYS_DIR: directory });
  const lines: string[] = [];
  const log = {
    info: (facts: object, message: string) => lines.push(`${message} ${JSON.stringify(facts)}`),
    error: ({ err }: { err?: unknown }, message: string) => lines.push(`${message}: ${err}`),
  };
  const { stop } = watchKeys(config, log, { interval: 5 });
  t.teardown(stop);
  return { directory, config, lines, stop };
}

/** Time enough for another watch, begun only now, to see what happened. */
async function otherLook(t: ExecutionContext, config: Config): Promise<void> {
  let told = 0;
  const count = (): void => {
    told += 1;
  };
  const other = { ...config };
  t.teardown(watchKeys(other, { info: count, error: count }, { interval: 5 }).stop);
  await until(() => told === 1);
}

test('a key that is promoted signs without a restart, and one that is retired verifies no more', async (t) => {
  const { directory, config } = watch(t);
  const { kid: former } = keyring(config);
  const { kid } = add(directory);
  await until(() => keyring(config).byHeader.size === 4);
  t.is(keyring(config).kid, former);

  promoteKey({ force: true }, keyDeps(directory));
  await until(() => keyring(config).kid === kid);
  retireKey({ kid: former ?? '' }, keyDeps(directory, 2 * DAY));
  await until(() => keyring(config).byHeader.size === 3);

  t.deepEqual(
    keyring(config).published.map((jwk) => jwk.kid),
    [kid],
  );
});

test('what is broken changes nothing, is told once, and is taken up again once it is mended', async (t) => {
  const { directory, config, lines } = watch(t);
  const file = path.join(directory, 'keys.json');
  const text = readFileSync(file, 'utf8');
  await until(() => lines.length === 1);
  const ring = keyring(config);

  writeFileSync(file, '{');
  await until(() => !keysAreHealthy(config));
  const { kid } = ring;
  await otherLook(t, config);
  t.is(keyring(config), ring);
  t.deepEqual(lines.slice(1), [
    `signing keys cannot be read: the former ones stay in use: Error: ${file} is broken: it is no JSON object.`,
  ]);

  writeFileSync(file, text);
  await until(() => keysAreHealthy(config));
  t.is(lines.length, 3);
  t.is(lines[2], `signing keys read {"kid":"${kid}","algorithm":"ES256"}`);
});

test('a manifest that goes away leaves the keys in use', async (t) => {
  const { directory, config } = watch(t);
  const { kid } = keyring(config);

  renameSync(path.join(directory, 'keys.json'), path.join(directory, 'away.json'));
  await until(() => !keysAreHealthy(config));

  t.is(keyring(config).kid, kid);
});

test('a key file that is mended is taken up, though the manifest stays as it is', async (t) => {
  const { directory, config } = watch(t);
  const { kid } = add(directory);
  await until(() => keyring(config).byHeader.size === 4);
  const file = path.join(directory, `${kid}.pem`);
  chmodSync(file, 0o644);
  promoteKey({ force: true }, keyDeps(directory));
  await until(() => !keysAreHealthy(config));
  t.not(keyring(config).kid, kid);

  chmodSync(file, 0o600);

  await until(() => keyring(config).kid === kid);
  t.true(keysAreHealthy(config));
});

test('a service that cannot read its keys is not ready, and goes on with those it has', async (t) => {
  const directory = temporaryDirectory(t);
  addCurrent(directory);
  const { client, deps } = await startApp(t, { KEYS_DIR: directory });
  const silent = { info: () => {}, error: () => {} };
  t.teardown(watchKeys(deps.config, silent, { interval: 5 }).stop);
  t.is((await client.get('/readyz')).status, 200);

  writeFileSync(path.join(directory, 'keys.json'), '');
  await until(() => !keysAreHealthy(deps.config));

  t.is((await client.get('/readyz')).status, 503);
  t.is((await client.get('/healthz')).status, 200);
});

test('once stopped, nothing is looked at', async (t) => {
  const { directory, config, lines, stop } = watch(t);
  await until(() => lines.length === 1);
  const ring = keyring(config);

  stop();
  add(directory);
  await otherLook(t, config);

  t.is(keyring(config), ring);
});

test('without KEYS_DIR there is nothing to watch', (t) => {
  const config = testConfig();

  watchKeys(config, { info: () => t.fail(), error: () => t.fail() }).stop();

  t.true(keysAreHealthy(config));
});
