import { execFileSync } from 'node:child_process';
import { randomSecret } from '../../src/secrets.ts';
import {
  asAccess,
  asClient,
  asOpaque,
  asPassword,
  asRefresh,
  asSecret,
  attemptsWith,
  GUISES,
  passwordsFrom,
  tryAll,
} from './dump-attempts.ts';
import type { Attempt, Outcome } from './dump-attempts.ts';
import { readDump } from './dump-strings.ts';
import { fillDatabase } from './dump-victims.ts';
import type { Victim } from './dump-victims.ts';
import { atLeast, exactly, measured } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { postgresBinary, startPostgres } from './postgres.ts';
import { openStage, serviceEnv } from './service.ts';
import { inTurn } from './turns.ts';

// A database of accounts with a password, an opaque token, a session that is live, one that was rotated and one
// that was revoked, and a blacklisted token of simplejwt, is dumped by pg_dump. Every word of the dump and every
// value of a column, whole, in pieces, and where it is binary in hexadecimal, base64, as a number and as bytes, is
// tried: as an opaque token, as an access and a refresh token, as the password of the client of /auth/introspect/,
// and as the HS256 secret of both tokens of a live session; every 40 hexadecimal digits in binary data, which is
// what an opaque token looks like, as one. All that the rows about a user hold is tried as that user's password. All
// credentials that are out are looked for in the dump, as text, hexadecimal and base64. In the end the true ones are
// sent in the same way, so that the refusals mean something.

const SETTINGS = {
  // Production wants hashes that cost more.
  NODE_ENV: 'test',
  BCRYPT_ROUNDS: '4',
  ROTATE_REFRESH_TOKENS: 'true',
  // Nothing may expire before it is tried.
  ACCESS_TOKEN_LIFETIME: '1h',
};

export const dump: Figure = {
  name: 'dump',
  summary: 'A dump of the database authenticates nobody',
  conditions: 'a round is a user; one server process, HS256, bcrypt at cost 4',
  rounds: 200,
  expectedSeconds: 180,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const clientSecret = randomSecret();
    const settings = { ...SETTINGS, INTROSPECTION_CLIENT_SECRET: clientSecret };
    const { deps, replicas } = await openStage(url, settings, { replicas: 1 }, scope);
    const { origin } = inTurn(replicas, 0);
    const victims = await fillDatabase(rounds, origin, deps);

    const text = execFileSync(postgresBinary('pg_dump'), ['--dbname', url], {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    const { rows, words } = readDump(text);
    const victim = inTurn(victims, 0);
    const { SIGNING_KEY = '', SECRET_KEY = '' } = serviceEnv(url, settings);
    const outside = [SIGNING_KEY, SECRET_KEY, clientSecret];
    const secrets = [...outside, ...victims.flatMap(secretsOf)];
    const controls = controlsOf(victim, { clientSecret, signingKey: SIGNING_KEY });
    return [
      measured('rows in the dump', rows.length),
      atLeast('of these about a user', rows.filter(isOfUser).length, 5 * rounds),
      measured('credentials looked for in it', secrets.length),
      exactly('of these found', secrets.filter((secret) => isIn(text, secret)).length, 0),
      ...findingsOf([
        await tryAll('Credentials', attemptsWith(rows, words, victim), origin),
        await tryAll('Passwords', passwordsFrom(rows), origin),
      ]),
      exactly(
        'true credentials accepted, of each kind',
        (await tryAll('Controls', controls, origin)).accepted.length,
        GUISES.length,
      ),
    ];
  },
};

const isOfUser = ({ table, values }: { table: string; values: ReadonlyMap<string, string> }) =>
  table === 'users' || values.has('user_id');

const secretsOf = ({ password, opaque, refreshTokens, accessTokens }: Victim): string[] => [
  password,
  opaque,
  ...[...refreshTokens, ...accessTokens].flatMap((token) => [token, token.split('.')[2] ?? token]),
];

const isIn = (text: string, secret: string): boolean =>
  [
    secret,
    ...(['hex', 'base64', 'base64url'] as const).flatMap((encoding) => [
      Buffer.from(secret).toString(encoding),
      Buffer.from(secret, 'hex').toString(encoding),
    ]),
  ].some((spelling) => spelling.length > 16 && text.includes(spelling));

function controlsOf(
  victim: Victim,
  { clientSecret, signingKey }: { clientSecret: string; signingKey: string },
): Attempt[] {
  const { user, password, opaque, live, refreshTokens } = victim;
  const [, , successor = ''] = refreshTokens;
  return [
    asOpaque(opaque),
    asAccess(live.access),
    asRefresh(successor),
    asClient(clientSecret),
    ...asSecret(signingKey, victim),
    ...asPassword(user.username, password),
  ];
}

function findingsOf(outcomes: Outcome[]): Finding[] {
  const accepted = outcomes.flatMap((outcome) => outcome.accepted);
  for (const { guise, path, options } of accepted)
    console.error(`${guise} at ${path}: ${JSON.stringify(options)}`);
  const sum = (count: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  return [
    ...GUISES.map((guise) =>
      measured(
        `tried as ${guise}`,
        sum(({ tried }) => tried[guise]),
      ),
    ),
    exactly('of all these accepted', accepted.length, 0),
    exactly(
      'answers other than 200, 400 and 401',
      sum(({ strange }) => strange),
      0,
    ),
  ];
}
