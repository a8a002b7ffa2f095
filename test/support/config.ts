import { loadConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';

export type SettingValues = Record<string, string | number | boolean>;

/** A configuration of the test's own: cheap password hashes, fixed secrets, and what the test sets. */
export function testConfig(settings: SettingValues = {}): Config {
  const base = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    BCRYPT_ROUNDS: 4,
    SECRET_KEY: 'a secret of the tests that encrypts opaque tokens',
    SIGNING_KEY: 'a secret of the tests that signs JSON Web Tokens',
  };
  const entries = Object.entries<string | number | boolean>({ ...base, ...settings });
  return loadConfig(Object.fromEntries(entries.map(([name, value]) => [name, String(value)])));
}
