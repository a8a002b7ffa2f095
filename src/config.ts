import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createChecklist } from './checklist.ts';
import type { Checklist } from './checklist.ts';
import { OperatorError } from './errors.ts';
import type { ManagedKey } from './key-directory.ts';
import { readManagedKeys, readSecrets, sharedSecrets } from './secret-settings.ts';
import type { Secrets } from './secret-settings.ts';
import { SETTINGS } from './settings.ts';
import type { Parsed, Setting } from './settings.ts';

export type { Algorithm } from './settings.ts';

type Env = Record<string, string | undefined>;

/** All problems of a configuration at once; never contains a value of a secret. */
export class ConfigError extends OperatorError {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`Configuration problems:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type Config = Omit<Parsed, keyof Secrets> &
  Secrets & {
    /** What KEYS_DIR held at the start. */
    readonly managedKeys: readonly ManagedKey[];
  };

/** The environment of this process, with what a file `.env` in the working directory adds to it. */
export function environment(): Env {
  try {
    process.loadEnvFile();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing) throw error;
  }
  return process.env;
}

/**
 * Reads the environment (secrets also from the file that `NAME_FILE` names), and takes the secrets out of it.
 * Throws one ConfigError with all problems. In development, missing secrets are made once in DATA_DIR.
 */
export function loadConfig(env: Env): Config {
  const checks = createChecklist();
  const { problems } = checks;
  const parsed = readSettings(env, checks);
  problems.push(...contradictions(parsed));
  if (!checks.failed.has('DATABASE_URL')) problems.push(...excessOfWorkers(parsed));
  const managedKeys = checks.attempt('KEYS_DIR', () => readManagedKeys(parsed));
  // What is refused anyway makes no secrets; production never makes any, and hears of all problems at once.
  if (parsed.NODE_ENV !== 'production') {
    if (problems.length === 0) checks.attempt('DATA_DIR', () => makeDirectory(parsed.DATA_DIR));
    if (problems.length > 0) throw new ConfigError(problems);
  }

  const secrets = readSecrets(parsed, managedKeys, checks);
  if (problems.length > 0 || !secrets || !managedKeys) throw new ConfigError(problems);
  return Object.freeze({ ...parsed, ...secrets, managedKeys });
}

/** What `loadConfig` reads in `env`, with the contents of files in place of their names: for other processes. */
export function settingTexts(env: Readonly<Env>): Record<string, string> {
  const left = { ...env };
  const texts = Object.entries<Setting<unknown>>(SETTINGS).map(
    ([name, entry]) => [name, readText(name, entry, left)] as const,
  );
  return Object.fromEntries(texts.flatMap(([name, text]) => (text ? [[name, text]] : [])));
}

export type KeySettings = Pick<
  Parsed,
  | 'KEYS_DIR'
  | 'ALGORITHM'
  | 'ACCESS_TOKEN_LIFETIME'
  | 'REFRESH_TOKEN_LIFETIME'
  | 'SLIDING_TOKEN_LIFETIME'
  | 'LEEWAY'
>;

/** What `keys` needs, which has to work before there is any key. Throws a ConfigError. */
export function loadKeySettings(env: Env): KeySettings {
  const checks = createChecklist();
  const parsed = readSettings(env, checks);
  if (checks.problems.length > 0) throw new ConfigError(checks.problems);
  return parsed;
}

function readSettings(env: Env, { attempt }: Checklist): Parsed {
  const entries = Object.entries<Setting<unknown>>(SETTINGS).map(([name, entry]) => {
    const value = attempt(name, () => {
      const text = readText(name, entry, env) ?? entry.default;
      return text === undefined ? undefined : entry.parse(text);
    });
    return [name, value];
  });
  return Object.fromEntries(entries); // one that failed is undefined, and refuses the start
}

function readText(name: string, entry: Setting<unknown>, env: Env): string | undefined {
  const value = env[name] || undefined;
  if (!entry.secret) return value;
  const file = env[`${name}_FILE`];
  delete env[name];
  if (!file) return value;
  if (value !== undefined) throw new Error(`is set twice, as ${name} and as ${name}_FILE`);
  try {
    return readSecretFile(file);
  } catch (error) {
    throw new Error(`cannot be read from the file that ${name}_FILE names`, { cause: error });
  }
}

function readSecretFile(file: string): string {
  const value = readFileSync(file, 'utf8').trim();
  if (value === '') throw new Error('the file is empty');
  return value;
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    throw new Error(`is no directory that can be made${code}`, { cause: error });
  }
}

function excessOfWorkers({ WORKERS, DATABASE_URL, DATABASE_POOL_SIZE }: Parsed): string[] {
  if (typeof WORKERS !== 'number' || WORKERS === 1) return [];
  if (DATABASE_URL === undefined)
    return [
      `WORKERS is ${WORKERS}, and the embedded database is for one process: set DATABASE_URL to a PostgreSQL server`,
    ];
  return WORKERS > DATABASE_POOL_SIZE
    ? ['WORKERS is larger than DATABASE_POOL_SIZE: each of them needs a connection']
    : [];
}

// A token has at most 4,096, and every request carries one.
const MAX_CUSTOM_CLAIMS = 1500;

function contradictions(parsed: Parsed): string[] {
  const problems: string[] = [];
  const isProduction = parsed.NODE_ENV === 'production';
  const names = [
    parsed.USER_ID_CLAIM,
    parsed.TOKEN_TYPE_CLAIM,
    parsed.JTI_CLAIM,
    parsed.SLIDING_TOKEN_REFRESH_EXP_CLAIM,
  ];
  const claims = names.filter((name) => name !== undefined); // one that could not be read is told already
  const taken = new Set([...claims, 'exp', 'iat', 'nbf', 'aud', 'iss', 'sid', 'token_version']);
  if (taken.size < claims.length + 7)
    problems.push(
      'The claims named by USER_ID_CLAIM, TOKEN_TYPE_CLAIM, JTI_CLAIM and SLIDING_TOKEN_REFRESH_EXP_CLAIM must differ from each other and from registered ones',
    );
  const reserved = [...taken].filter((name) => Object.hasOwn(parsed.CUSTOM_CLAIMS ?? {}, name));
  if (typeof (parsed.CUSTOM_CLAIMS?.sub ?? '') !== 'string')
    problems.push('CUSTOM_CLAIMS has a sub that is no text (RFC 7519, 4.1.2)');
  if (JSON.stringify(parsed.CUSTOM_CLAIMS ?? {}).length > MAX_CUSTOM_CLAIMS)
    problems.push(`CUSTOM_CLAIMS is longer than ${MAX_CUSTOM_CLAIMS} characters`);
  if (reserved.length > 0)
    problems.push(`CUSTOM_CLAIMS has claims that the service sets itself: ${reserved.join(', ')}`);
  if (parsed.DATABASE_DIRECT_URL && !parsed.DATABASE_URL)
    problems.push('DATABASE_DIRECT_URL is set without DATABASE_URL, the pooler');
  if (parsed.PAGE_SIZE > parsed.MAX_PAGE_SIZE)
    problems.push('PAGE_SIZE is larger than MAX_PAGE_SIZE');
  if (parsed.PASSWORD_MIN_LENGTH > parsed.PASSWORD_MAX_LENGTH)
    problems.push('PASSWORD_MIN_LENGTH is larger than PASSWORD_MAX_LENGTH');
  for (const name of ['TOKEN_TYPE_CLAIM', 'JTI_CLAIM', 'SLIDING_TOKEN_REFRESH_EXP_CLAIM'] as const)
    if (parsed[name] === 'sub')
      problems.push(`${name} cannot be sub, which names the subject of a token`);
  const jwtKeywords = parsed.AUTH_HEADER_TYPES ?? [];
  if (
    parsed.AUTHENTICATION_SCHEMES?.length !== 1 &&
    jwtKeywords.some((word) => /^token$/i.test(word))
  )
    problems.push(
      'AUTH_HEADER_TYPES has Token, which is the keyword of tokenAuth: name one of the two schemes only',
    );
  if (parsed.INTROSPECTION_CLIENT_SECRET && jwtKeywords.some((word) => /^basic$/i.test(word)))
    problems.push(
      'AUTH_HEADER_TYPES has Basic, which is the keyword of INTROSPECTION_CLIENT_SECRET',
    );
  if (isProduction) problems.push(...sharedSecrets(parsed));
  if (
    isProduction &&
    !parsed.DATABASE_URL &&
    existsSync(path.join(parsed.DATA_DIR, 'demo-password'))
  )
    problems.push(
      'DATA_DIR holds the demo user of a development start, whose password is in a file: use another one',
    );
  if (isProduction && parsed.BCRYPT_ROUNDS < 10)
    problems.push('BCRYPT_ROUNDS must be at least 10 in production');
  return problems;
}
