import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createAccount } from '../src/accounts/accounts.ts';
import type { Deps } from '../src/deps.ts';
import { hashPassword } from '../src/users/passwords.ts';
import { startApp } from './support/app.ts';
import type { SettingValues } from './support/config.ts';

// Recordings of a Django project with DRF, simplejwt and django-filter, and the program that plays them.
const WIRE = path.join(import.meta.dirname, '../../shared/wire');

const PROFILES: Record<string, SettingValues> = {
  default: {},
  rotation: {
    AUTHENTICATION_SCHEMES: 'bearerJWT,tokenAuth',
    ROTATE_REFRESH_TOKENS: true,
    BLACKLIST_AFTER_ROTATION: true,
    UPDATE_LAST_LOGIN: true,
  },
  token: { AUTHENTICATION_SCHEMES: 'tokenAuth' },
  jwt: { AUTHENTICATION_SCHEMES: 'bearerJWT' },
};

interface SeedUser {
  id: number;
  username: string;
  password?: string;
  password_hash?: string;
  is_active?: boolean;
  is_staff?: boolean;
  is_superuser?: boolean;
  token?: string;
  no_token?: boolean;
}
interface Seed {
  signing_key: string;
  users: SeedUser[];
}
interface Report {
  total: Record<string, number>;
  report: { file: string; step: string; ok: boolean; notes: string[] }[];
}

const play = existsSync(WIRE) ? test : test.skip;

play(
  'every recorded step of DRF and simplejwt is answered alike in all four profiles',
  async (t) => {
    t.timeout(120_000);
    const seed: Seed = JSON.parse(readFileSync(path.join(WIRE, 'seed.json'), 'utf8'));
    const bases = await Promise.all(
      Object.entries(PROFILES).map(async ([name, settings]) => {
        const base = await startProfile(t, seed, settings);
        return ['--base', `${name}=${base}`];
      }),
    );

    const { total, report } = await replay(bases.flat());

    t.deepEqual(
      report
        .filter(({ ok }) => !ok)
        .map(({ file, step, notes }) => `${file}: ${step}: ${notes[0]}`),
      [],
    );
    const { steps, status, headers, body, accepted } = total;
    t.deepEqual(
      { steps, status, headers, body },
      { steps: 764, status: 764, headers: 764, body: 764 },
    );
    t.is(accepted, 33, 'the accepted differences are counted, so that they cannot grow unseen');
  },
);

async function startProfile(
  t: ExecutionContext,
  seed: Seed,
  settings: SettingValues,
): Promise<string> {
  const { base, deps } = await startApp(
    t,
    {
      SIGNING_KEY: seed.signing_key,
      REFRESH_REUSE: 'refuse',
      REFRESH_GRACE: 0,
      REVOKE_ACCESS_TOKENS: false,
      ...settings,
    },
    { isRealTime: true },
  );
  for (const user of seed.users) await createSeedUser(user, deps);
  return base;
}

async function createSeedUser(
  { password = '', password_hash, no_token, token, ...fields }: SeedUser,
  deps: Deps,
): Promise<void> {
  const hash = password_hash ?? (await hashPassword(password, deps.config));
  await createAccount({ ...fields, password: hash, token: no_token ? null : token }, deps);
}

async function replay(bases: string[]): Promise<Report> {
  const out = path.join(mkdtempSync(path.join(os.tmpdir(), 'latchkey-wire-')), 'report.json');
  const scenarios = readdirSync(path.join(WIRE, 'scenarios')).map((name) => `scenarios/${name}`);
  const args = ['replay.mjs', 'diff', ...bases, '--golden', 'golden', '--json', out, ...scenarios];
  // Its exit code says whether all steps matched; the report says which did not.
  await promisify(execFile)(process.execPath, args, { cwd: WIRE }).catch(() => undefined);
  return JSON.parse(readFileSync(out, 'utf8'));
}
