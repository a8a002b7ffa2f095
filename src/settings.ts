/** A row of the table. */
export interface Setting<Value> {
  parse: (text: string) => Value;
  /** In the notation of the environment; undefined where the setting is optional. */
  default: string | undefined;
  doc: string;
  secret?: true;
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
// 100 years: far below the last instant that a Date holds.
const LONGEST = 3_155_760_000;

function seconds(text: string): number {
  const match = /^(\d{1,9})([smhdw]?)$/.exec(text);
  if (!match) throw new Error('must be seconds or a number with s, m, h, d or w, such as 5m');
  const value = Number(match[1]) * (UNITS[match[2] || 's'] ?? 1);
  if (value > LONGEST) throw new Error('must be at most 100 years');
  return value;
}

function lifetime(text: string): number {
  const value = seconds(text);
  if (value < 1) throw new Error('must be at least one second');
  return value;
}

/** A time that weakens a check where it is long. */
function shortTime(longest: number): (text: string) => number {
  return (text) => {
    const value = seconds(text);
    if (value > longest) throw new Error(`must be at most ${longest} seconds`);
    return value;
  };
}

function boolean(text: string): boolean {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new Error('must be true or false');
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new Error(`must be an integer from ${min} to ${max}`);
    return value;
  };
}

function oneOf<const Value extends string>(...values: readonly Value[]): (text: string) => Value {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}`);
    return value;
  };
}

function list(text: string): string[] {
  const values = text.split(',').map((value) => value.trim());
  if (values.includes('')) throw new Error('must be a comma-separated list without empty entries');
  if (new Set(values).size !== values.length) throw new Error('names an entry twice');
  return values;
}

function keyword(text: string): string[] {
  const values = list(text);
  if (!values.every((value) => /^[A-Za-z][\w-]*$/.test(value))) throw new Error('must be words');
  return values;
}

const TOKEN_CLASSES = ['AccessToken', 'SlidingToken'] as const;

function tokenClasses(text: string): (typeof TOKEN_CLASSES)[number][] {
  const names = list(text);
  const classes = TOKEN_CLASSES.filter((name) => names.includes(name));
  if (classes.length < names.length) throw new Error(`must be of ${TOKEN_CLASSES.join(', ')}`);
  return classes.toSorted((one, other) => names.indexOf(one) - names.indexOf(other));
}

const claim = (text: string): string => {
  if (!/^\w{1,64}$/.test(text)) throw new Error('must be a claim name of letters, digits and _');
  return text;
};

function claims(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, without the parser's words.
  }
  throw new Error('must be a JSON object');
}

function databaseUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text))
    throw new Error('must begin with postgres:// or postgresql://');
  if (!URL.canParse(text)) throw new Error('is not a URL');
  return text;
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash)
    throw new Error('must be an origin such as https://api.example.com');
  return url.origin;
}

const clientId = (text: string): string => {
  // HTTP Basic ends the name at the first colon.
  if (!/^[!-9;-~]+$/.test(text))
    throw new Error('must be printable ASCII without spaces and colons');
  return text;
};

const text = (value: string): string => value;

export const ALGORITHMS = ['HS256', 'HS384', 'HS512', 'RS256', 'ES256'] as const;

// Names and defaults of DRF and simplejwt where they have the setting.
export const SETTINGS = {
  NODE_ENV: setting(
    oneOf('development', 'test', 'production'),
    'development',
    '`production` refuses weak or missing secrets and makes no demo user',
  ),
  HOST: setting(text, '127.0.0.1', 'Address to listen at; `0.0.0.0` for all'),
  PORT: setting(integer(0, 65_535), '8000', 'Port to listen at; 0 picks a free one'),
  BASE_URL: setting(
    baseUrl,
    undefined,
    "Public origin for absolute links; the socket's own address if unset",
  ),
  DATABASE_URL: setting(
    databaseUrl,
    undefined,
    'PostgreSQL server; the embedded database in DATA_DIR if unset',
    true,
  ),
  DATABASE_POOL_SIZE: setting(integer(1, 1000), '10', 'Connections to a PostgreSQL server'),
  DATA_DIR: setting(
    text,
    '.data',
    'Directory of the embedded database and of generated development secrets',
  ),
  SECRET_KEY: setting(
    text,
    undefined,
    'Encrypts the opaque tokens at rest; at least 32 bytes in production',
    true,
  ),
  SIGNING_KEY: setting(
    text,
    undefined,
    'Secret (HS*) or PEM private key (RS256, ES256) that signs JWTs',
    true,
  ),
  VERIFYING_KEY: setting(
    text,
    undefined,
    'PEM public key; derived from SIGNING_KEY if unset',
    true,
  ),
  ALGORITHM: setting(
    oneOf(...ALGORITHMS),
    'HS256',
    'Algorithm of SIGNING_KEY; keys in KEYS_DIR have their own',
  ),
  KEYS_DIR: setting(
    text,
    undefined,
    'Directory of signing keys that `keys` manages; replicas notice changes in 2 s',
  ),
  ACCESS_TOKEN_LIFETIME: setting(lifetime, '5m', 'Lifetime of access tokens: `300`, `5m`, `1h`'),
  REFRESH_TOKEN_LIFETIME: setting(lifetime, '1d', 'Lifetime of refresh tokens'),
  ROTATE_REFRESH_TOKENS: setting(
    boolean,
    'false',
    'A refresh also returns a new refresh token and retires the used one',
  ),
  BLACKLIST_AFTER_ROTATION: setting(
    boolean,
    'false',
    '`/verify_token/` also refuses blacklisted and retired refresh tokens',
  ),
  REFRESH_GRACE: setting(
    shortTime(60),
    '10s',
    'How long a retry with the token just rotated gets the same successor; 0 = never',
  ),
  REFRESH_REUSE: setting(
    oneOf('revoke_family', 'refuse'),
    'revoke_family',
    'What reuse of a retired refresh token does to its family',
  ),
  REVOKE_ACCESS_TOKENS: setting(
    boolean,
    'true',
    'Access tokens end with their session, at once; off: they live on, as in simplejwt',
  ),
  SESSION_LIFETIME: setting(seconds, '0', 'A session ends this long after its login; 0 = never'),
  SESSION_IDLE_LIFETIME: setting(
    seconds,
    '0',
    'A session ends when it was not refreshed for this long; 0 = never',
  ),
  CUSTOM_CLAIMS: setting(claims, '{}', 'Claims that every JWT carries, as a JSON object'),
  SWEEP_INTERVAL: setting(
    seconds,
    '1h',
    'How often one of the replicas deletes what has expired; 0 = none does',
  ),
  UPDATE_LAST_LOGIN: setting(boolean, 'false', '`/login/` records users.last_login'),
  AUTH_TOKEN_CLASSES: setting(
    tokenClasses,
    'AccessToken',
    'JWTs taken in the Authorization header: AccessToken, SlidingToken, or both',
  ),
  SLIDING_TOKEN_LIFETIME: setting(lifetime, '5m', 'How long a sliding token is good'),
  SLIDING_TOKEN_REFRESH_LIFETIME: setting(lifetime, '1d', 'How long it can be refreshed'),
  SLIDING_TOKEN_REFRESH_EXP_CLAIM: setting(
    claim,
    'refresh_exp',
    'Claim that tells when a sliding token can be refreshed no more',
  ),
  AUDIENCE: setting(text, undefined, 'aud claim to issue and to demand'),
  ISSUER: setting(text, undefined, 'iss claim to issue and to demand'),
  LEEWAY: setting(shortTime(300), '0', 'Tolerance for exp, nbf and iat'),
  AUTH_HEADER_TYPES: setting(
    keyword,
    'Bearer',
    'Keywords for JWTs in the Authorization header; the first is in the challenge',
  ),
  USER_ID_CLAIM: setting(claim, 'user_id', 'Claim that names the user'),
  TOKEN_TYPE_CLAIM: setting(claim, 'token_type', 'Claim that names the type of the token'),
  JTI_CLAIM: setting(claim, 'jti', 'Claim that identifies the token'),
  AUTHENTICATION_SCHEMES: setting(
    list,
    'tokenAuth,bearerJWT',
    'Schemes in use; the first gives the challenge of a 401',
  ),
  INTROSPECTION_CLIENT_ID: setting(
    clientId,
    'introspection',
    'Name of the service that may ask about tokens, by HTTP Basic',
  ),
  INTROSPECTION_CLIENT_SECRET: setting(
    text,
    undefined,
    'Its password; at least 32 bytes in production; unset, staff alone may ask',
    true,
  ),
  BCRYPT_ROUNDS: setting(
    integer(4, 20),
    '12',
    'Cost of password hashes (at least 10 in production)',
  ),
  PASSWORD_MIN_LENGTH: setting(integer(1, 1024), '8', 'Shortest new password, in characters'),
  PASSWORD_MAX_LENGTH: setting(integer(8, 4096), '1024', 'Longest new password, in characters'),
  REGISTRATION: setting(boolean, 'true', '`POST /auth/users/` makes accounts; off: 403'),
  PAGE_SIZE: setting(integer(1, 10_000), '25', 'Entries per page'),
  MAX_PAGE_SIZE: setting(integer(1, 10_000), '100', 'Largest page a caller can ask for'),
  DOCS: setting(boolean, 'true', 'Serve /docs'),
  LOG_LEVEL: setting(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'silent'),
    'info',
    'Least severe log line written',
  ),
} satisfies Record<string, Setting<unknown>>;

function setting<Value>(
  parse: (text: string) => Value,
  fallback: undefined,
  doc: string,
  secret?: true,
): Setting<Value | undefined>;
function setting<Value>(
  parse: (text: string) => Value,
  fallback: string,
  doc: string,
): Setting<Value>;
function setting<Value>(
  parse: (text: string) => Value,
  fallback: string | undefined,
  doc: string,
  secret?: true,
): Setting<Value | undefined> {
  return { parse, default: fallback, doc, ...(secret && { secret }) };
}

/** What the table reads, before the secrets are judged. */
export type Parsed = {
  readonly [Name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Name]['parse']>;
};

export type Algorithm = (typeof ALGORITHMS)[number];

/** Name, default and one line of documentation of every setting, for the README and `.env.example`. */
export const settings = Object.entries<Setting<unknown>>(SETTINGS).map(([name, entry]) => ({
  name,
  default: entry.default,
  doc: entry.doc,
  secret: entry.secret === true,
}));
