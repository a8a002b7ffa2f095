import {
  baseUrl,
  boolean,
  claim,
  claims,
  clientId,
  databaseUrl,
  integer,
  keyword,
  lifetime,
  list,
  networks,
  oneOf,
  origins,
  rate,
  redisUrl,
  seconds,
  share,
  shortTime,
  text,
  tokenClasses,
  workers,
} from './setting-parsers.ts';

/** A row of the table. */
export interface Setting<Value> {
  parse: (text: string) => Value;
  /** In the notation of the environment; undefined where the setting is optional. */
  default: string | undefined;
  doc: string;
  secret?: true;
}

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
  DRAIN_DELAY: setting(
    shortTime(60),
    '0',
    'How long a process that is to stop still takes requests, while /readyz sends load balancers elsewhere',
  ),
  METRICS_PORT: setting(
    integer(0, 65_535),
    undefined,
    "Port for Prometheus, at /metrics, for the operators' network alone; unset: none",
  ),
  METRICS_HOST: setting(text, '127.0.0.1', 'Address for it'),
  BASE_URL: setting(
    baseUrl,
    undefined,
    "Public origin for absolute links; the socket's own address if unset",
  ),
  CORS_ALLOWED_ORIGINS: setting(
    origins,
    undefined,
    'Origins whose pages may call the API; unset: loopback in development, else none',
  ),
  TRUSTED_PROXIES: setting(
    networks,
    undefined,
    'Addresses and networks of proxies whose X-Forwarded-For is believed; unset: none',
  ),
  DATABASE_URL: setting(
    databaseUrl,
    undefined,
    'PostgreSQL server; the embedded database in DATA_DIR if unset',
    true,
  ),
  DATABASE_DIRECT_URL: setting(
    databaseUrl,
    undefined,
    'The PostgreSQL server itself, where DATABASE_URL is a pooler in transaction mode',
    true,
  ),
  DATABASE_POOL_SIZE: setting(
    integer(1, 1000),
    '10',
    'Connections to a PostgreSQL server, of all workers together',
  ),
  WORKERS: setting(
    workers,
    '1',
    'Processes that share the port, on a PostgreSQL server; `auto`: one per core',
  ),
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
  AUDIT_RETENTION: setting(seconds, '90d', 'How long the audit trail is kept; 0 = for ever'),
  IDEMPOTENCY_KEY_LIFETIME: setting(
    lifetime,
    '24h',
    'How long a request can be sent again with its Idempotency-Key',
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
  THROTTLE_ENABLED: setting(
    boolean,
    undefined,
    'Limits on how often things are tried; unset: on, except where NODE_ENV is test',
  ),
  THROTTLE_ANON: setting(
    rate,
    'none',
    'Requests of an address without credentials, such as `100/m`; of IPv6, of a /64',
  ),
  THROTTLE_USER: setting(rate, 'none', 'Requests of a user, such as `1000/h`'),
  THROTTLE_LOGIN: setting(rate, '100/m', 'Logins that fail, of an address'),
  THROTTLE_GUESS: setting(rate, '10/m', 'Wrong passwords for one name from one address'),
  THROTTLE_ACCOUNT: setting(
    rate,
    '100/h',
    'Wrong passwords for one name from all addresses that it has not logged in from',
  ),
  THROTTLE_REGISTER: setting(rate, '30/h', 'Registrations from an address'),
  THROTTLE_PASSWORD: setting(rate, '10/m', 'Changes of the password that fail, of a user'),
  REDIS_URL: setting(redisUrl, undefined, 'Redis for these counts; the database if unset', true),
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
  CONTRACT_CHECK_RATE: setting(
    share,
    undefined,
    'Share of answers checked against the contract; unset: all, in production 0.01',
  ),
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
