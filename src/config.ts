import type { KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from './errors.ts';
import {
  developmentSecret,
  newSigningKey,
  randomSecret,
  signingKey,
  verifyingKey,
  weakness,
} from './secrets.ts';
import { SETTINGS } from './settings.ts';
import type { Parsed, Setting } from './settings.ts';

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

export type Algorithm = Parsed['ALGORITHM'];
export type Config = Omit<Parsed, 'SECRET_KEY' | 'SIGNING_KEY' | 'VERIFYING_KEY'> & {
  readonly SECRET_KEY: string;
  readonly SIGNING_KEY: KeyObject;
  readonly VERIFYING_KEY: KeyObject;
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
  // What is refused anyway makes no secrets; production never makes any, and hears of all problems at once.
  if (parsed.NODE_ENV !== 'production') {
    if (problems.length === 0) checks.attempt('DATA_DIR', () => makeDirectory(parsed.DATA_DIR));
    if (problems.length > 0) throw new ConfigError(problems);
  }

  const secrets = readSecrets(parsed, checks);
  if (problems.length > 0 || !secrets) throw new ConfigError(problems);
  return Object.freeze({ ...parsed, ...secrets });
}

interface Checklist {
  problems: string[];
  failed: Set<string>;
  /** What `read` throws becomes a problem of the setting, which is not asked again. */
  attempt: <Value>(name: string, read: () => Value) => Value | undefined;
}

function createChecklist(): Checklist {
  const problems: string[] = [];
  const failed = new Set<string>();
  return {
    problems,
    failed,
    attempt: (name, read) => {
      if (failed.has(name)) return undefined;
      try {
        return read();
      } catch (error) {
        failed.add(name);
        problems.push(`${name} ${error instanceof Error ? error.message : 'is wrong'}`);
        return undefined;
      }
    },
  };
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

type Secrets = Pick<Config, 'SECRET_KEY' | 'SIGNING_KEY' | 'VERIFYING_KEY'>;

function readSecrets(parsed: Parsed, { attempt, failed }: Checklist): Secrets | undefined {
  const { ALGORITHM, VERIFYING_KEY } = parsed;
  const secretKey = attempt('SECRET_KEY', () => secret('SECRET_KEY', randomSecret, parsed));
  // What a signing key has to be is known with the algorithm only.
  if (failed.has('ALGORITHM')) return undefined;
  const signing = attempt('SIGNING_KEY', () =>
    signingKey(
      ALGORITHM,
      secret('SIGNING_KEY', () => newSigningKey(ALGORITHM), parsed),
    ),
  );
  const verifying =
    signing && attempt('VERIFYING_KEY', () => verifyingKey(ALGORITHM, signing, VERIFYING_KEY));
  const { NODE_ENV, INTROSPECTION_CLIENT_SECRET: clientSecret } = parsed;
  if (NODE_ENV === 'production' && clientSecret !== undefined)
    attempt('INTROSPECTION_CLIENT_SECRET', () => refuseWeak(clientSecret));
  if (secretKey === undefined || !signing || !verifying) return undefined;
  return { SECRET_KEY: secretKey, SIGNING_KEY: signing, VERIFYING_KEY: verifying };
}

function secret(name: 'SECRET_KEY' | 'SIGNING_KEY', make: () => string, parsed: Parsed): string {
  const value = parsed[name];
  if (parsed.NODE_ENV !== 'production') {
    // A key of another algorithm must not be taken up again when ALGORITHM changes.
    const file = name === 'SIGNING_KEY' ? `signing_key.${parsed.ALGORITHM}` : 'secret_key';
    return value ?? developmentSecret(parsed.DATA_DIR, file, make);
  }
  if (value === undefined) throw new Error('is missing: production makes no secrets of its own');
  const isPem = name === 'SIGNING_KEY' && !parsed.ALGORITHM.startsWith('HS');
  if (!isPem) refuseWeak(value);
  return value;
}

function refuseWeak(secret: string): void {
  const reason = weakness(secret);
  if (reason) throw new Error(`${reason}: production needs a strong one`);
}

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
  const taken = new Set([...claims, 'exp', 'iat', 'nbf', 'aud', 'iss', 'sid']);
  if (taken.size < claims.length + 6)
    problems.push(
      'The claims named by USER_ID_CLAIM, TOKEN_TYPE_CLAIM, JTI_CLAIM and SLIDING_TOKEN_REFRESH_EXP_CLAIM must differ from each other and from registered ones',
    );
  const reserved = [...taken].filter((name) => Object.hasOwn(parsed.CUSTOM_CLAIMS ?? {}, name));
  if (reserved.length > 0)
    problems.push(`CUSTOM_CLAIMS has claims that the service sets itself: ${reserved.join(', ')}`);
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

function sharedSecrets(parsed: Parsed): string[] {
  const names = ['SECRET_KEY', 'SIGNING_KEY', 'INTROSPECTION_CLIENT_SECRET'] as const;
  return names.flatMap((name, index) =>
    names
      .slice(index + 1)
      .filter((other) => parsed[name] && parsed[name].trim() === parsed[other]?.trim())
      .map((other) => `${name} and ${other} are the same secret for two purposes`),
  );
}
