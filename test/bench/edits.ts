import { startProgress } from '../../src/commands/progress.ts';
import type { Algorithm } from '../../src/config.ts';
import { newSigningKey } from '../../src/secrets.ts';
import { fitsInHeader, inHeader } from '../support/attacks.ts';
import { atLeast, exactly, measured } from './figure.ts';
import type { Figure, Finding } from './figure.ts';
import { exchange } from './http-client.ts';
import type { RequestOptions } from './http-client.ts';
import { inLanes } from './lanes.ts';
import { startPostgres } from './postgres.ts';
import { createScope } from './scope.ts';
import { openStage } from './service.ts';
import { createUsers, openSession } from './sessions.ts';
import { inTurn } from './turns.ts';
import { tryTwins } from './twins.ts';

// A valid access and refresh token of each of HS256, RS256 and ES256, with one character dropped, changed or
// inserted: at every position a few of the 78 characters of the list in turn, and all of them where a part ends and
// base64url has bits that are not used. An edit of the access token is sent in the Authorization header, one of the
// refresh token to /refresh_token/, and all to /verify_token/; in the end the tokens themselves are still good. White
// space before or after a token is no edit, since the originals strip it. ES256 leaves one other text of the same
// worth, which is no edit of a character: with a signature of (r, n - s) instead of (r, s) a token is as good. So
// nothing may go by its text: twins.ts ends a token by the one, and the other has to be refused.

const LANES = 8;
const ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const satisfies Algorithm[];
const CHARACTERS = [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ~%"\\\n\0\u00e9\u200b\u{1f680}',
];
const EDITS_PER_ROUND = 5000;
const TWINS_PER_ROUND = 10;
// A reused refresh token has to be refused at once, and no token may expire before it is tried.
const SETTINGS = {
  ROTATE_REFRESH_TOKENS: 'true',
  REFRESH_GRACE: '0',
  ACCESS_TOKEN_LIFETIME: '1h',
};

export const edits: Figure = {
  name: 'edits',
  summary: 'No token is accepted that differs from a valid one in a character',
  conditions: 'a round is a character at each position; one server process for each algorithm',
  rounds: 6,
  expectedSeconds: 80,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const findings: Finding[] = [];
    let tried = 0;
    for (const ALGORITHM of ALGORITHMS) {
      const turn = createScope();
      scope.onClose(turn.close);
      const settings = { ...SETTINGS, ALGORITHM, SIGNING_KEY: newSigningKey(ALGORITHM) };
      const { deps, replicas } = await openStage(url, settings, { replicas: 1 }, turn);
      const { origin } = inTurn(replicas, 0);
      const [user] = await createUsers(1, deps);
      if (!user) throw new Error('a user was made');
      const session = await openSession(user, deps);
      const outcome = await tryEdits(ALGORITHM, rounds, session, origin);
      tried += outcome.edits;
      findings.push(...outcome.findings);
      if (ALGORITHM === 'ES256')
        findings.push(...(await tryTwins(rounds * TWINS_PER_ROUND, user, deps, origin)));
      await turn.close();
    }
    return [atLeast('edits in all', tried, rounds * EDITS_PER_ROUND), ...findings];
  },
};

interface Try {
  token: string;
  path: string;
  options: RequestOptions;
}

async function tryEdits(
  algorithm: Algorithm,
  rounds: number,
  { access, refresh }: { access: string; refresh: string },
  origin: string,
): Promise<{ edits: number; findings: Finding[] }> {
  const accessEdits = editsOf(access, rounds);
  const refreshEdits = editsOf(refresh, rounds);
  const tries = [
    ...accessEdits.filter(fitsInHeader).map(asBearer),
    ...refreshEdits.map(asRefresh),
    ...[...accessEdits, ...refreshEdits].map(asQuestion),
  ];
  const [accepted, strange]: [string[], string[]] = [[], []];
  let done = 0;
  const progress = startProgress(algorithm, tries.length);
  await inLanes(tries, LANES, async ({ token, path, options }) => {
    const { status } = await exchange(origin, path, options);
    if (status === 200) accepted.push(`${path} ${token}`);
    else if (status !== 401 && status !== 400) strange.push(`${status} ${path} ${token}`);
    progress.advanceTo((done += 1));
  });
  progress.stop();
  for (const one of [...accepted, ...strange]) console.error(`${algorithm}: ${one}`);

  const controls = [asBearer(access), asQuestion(access), asQuestion(refresh), asRefresh(refresh)];
  let good = 0;
  for (const { path, options } of controls)
    if ((await exchange(origin, path, options)).status === 200) good += 1;
  const findings = [
    measured(`${algorithm}: edits of two tokens`, accessEdits.length + refreshEdits.length),
    measured(`${algorithm}: requests with them`, tries.length),
    exactly(`${algorithm}: of these accepted`, accepted.length, 0),
    exactly(`${algorithm}: answers other than 400 and 401`, strange.length, 0),
    exactly(`${algorithm}: uses of the tokens themselves, afterwards`, good, controls.length),
  ];
  return { edits: accessEdits.length + refreshEdits.length, findings };
}

const asBearer = (token: string): Try => ({
  token,
  path: '/products/',
  options: { bearer: inHeader(token) },
});

const asRefresh = (token: string): Try => ({
  token,
  path: '/refresh_token/',
  options: { method: 'POST', json: { refresh: token } },
});

const asQuestion = (token: string): Try => ({
  token,
  path: '/verify_token/',
  options: { method: 'POST', json: { token } },
});

function editsOf(token: string, perPosition: number): string[] {
  const found = new Set<string>();
  for (let index = 0; index <= token.length; index += 1) {
    const [before, after] = [token.slice(0, index), token.slice(index)];
    const rest = after.slice(1);
    found.add(before + rest);
    for (const character of charactersAt(index, token, perPosition))
      found.add(before + character + rest).add(before + character + after);
  }
  return [...found].filter((edit) => edit.trim() !== token);
}

function charactersAt(index: number, token: string, count: number): string[] {
  if (index >= token.length - 1 || token[index + 1] === '.') return CHARACTERS;
  return Array.from({ length: count }, (_, step) => inTurn(CHARACTERS, index * count + step));
}
