import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { header } from './examples/alterations.ts';
import { asShown, UNFORESEEN } from './examples/matching.ts';
import { PROVOCATIONS } from './examples/provocations.ts';
import { asType, send, validRequest } from './examples/requests.ts';
import { CLIENT_SECRET, retellStory, STORY_TIME, writeStory } from './examples/story.ts';
import { startWithoutDatabase } from './http/shell.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';
import type { Answer } from './support/client.ts';
import { SERVER } from './support/database.ts';
import { answerExamples, exampleOperations } from './support/examples.ts';
import type { AnswerExample } from './support/examples.ts';
import { addCurrent, temporaryDirectory } from './support/keys.ts';

const SETTINGS = {
  BASE_URL: 'https://shop.example.com',
  INTROSPECTION_CLIENT_SECRET: CLIENT_SECRET,
};

const onEmbedded = SERVER === undefined ? test : test.skip;

type Service =
  | 'the one of the story'
  | 'rotating'
  | 'closed'
  | 'with keys'
  | 'busy'
  | 'without database'
  | 'sparing';

// By whom an example is shown that needs other settings, or an illness.
const ELSEWHERE: Record<string, Service> = {
  rotated: 'rotating',
  rotation: 'with keys',
  registration_closed: 'closed',
  service_unavailable: 'without database',
  idempotency_conflict: 'busy',
  throttled: 'sparing',
};

const shownBy = (service: Service): AnswerExample[] =>
  answerExamples.filter(({ name }) => (ELSEWHERE[name] ?? 'the one of the story') === service);

test('each example has a provocation, and each provocation an example', (t) => {
  const shown = new Set(answerExamples.map(({ name }) => name));

  t.deepEqual([...shown].sort(), Object.keys(PROVOCATIONS).sort());
  t.true(answerExamples.length > 500, `${answerExamples.length} answers`);
});

test('the service answers as the examples of the contract say, and takes the requests that they show', async (t) => {
  t.timeout(180_000);
  const app = await startApp(t, SETTINGS);
  const rotating = await startApp(t, { ...SETTINGS, ROTATE_REFRESH_TOKENS: true }, { db: app.db });
  await writeStory(app);

  t.deepEqual(await liesTo(app, shownBy('the one of the story')), []);
  t.deepEqual(await liesTo(rotating, shownBy('rotating')), []);
  const nothing = { THROTTLE_ENABLED: true, THROTTLE_ANON: '0/m', THROTTLE_USER: '0/m' };
  const sparing = await startApp(t, { ...SETTINGS, ...nothing }, { db: app.db });
  sparing.clock.set(STORY_TIME);
  t.deepEqual(await liesTo(sparing, shownBy('sparing')), []);
  t.deepEqual(await refusedRequests(app), []);
  t.deepEqual(await refusedParameters(app), []);
});

onEmbedded(
  'while a request with the same key is answered, it answers as the example of that says',
  async (t) => {
    const app = await startApp(t, SETTINGS);
    await writeStory(app);
    // The one session of an embedded database never waits for itself: this is what it would see of another.
    await app.db.raw(`CREATE FUNCTION pg_try_advisory_xact_lock(bigint) RETURNS boolean
    LANGUAGE sql AS 'SELECT false'`);
    await app.db.raw('SET search_path = public, pg_catalog');

    t.deepEqual(await liesTo(app, shownBy('busy')), []);
  },
);

test('without its database, it answers as the examples of that say', async (t) => {
  const app = await startWithoutDatabase(t, SETTINGS);
  app.clock.set(STORY_TIME);

  t.deepEqual(await liesTo(app, shownBy('without database')), []);
});

test('where registration is closed, it answers as the example of that says', async (t) => {
  const app = await startWithoutDatabase(t, { ...SETTINGS, REGISTRATION: false });

  t.deepEqual(await liesTo(app, shownBy('closed')), []);
});

test('where keys were rotated, it lists them as the example of that says', async (t) => {
  const KEYS_DIR = temporaryDirectory(t);
  addCurrent(KEYS_DIR, { algorithm: 'RS256' });
  addCurrent(KEYS_DIR, { algorithm: 'ES256' });
  const app = await startWithoutDatabase(t, { ...SETTINGS, KEYS_DIR });
  const [example, ...others] = shownBy('with keys');

  t.deepEqual(example && lieIn(example, await provoke(example, app)), []);
  t.deepEqual(others, []);
});

/** Where the answers of a service are not what the examples say. */
async function liesTo(app: TestApp, examples: AnswerExample[]): Promise<unknown[]> {
  const lies: unknown[] = examples.length > 0 ? [] : ['no examples'];
  const changing = examples.filter(changesTheWorld);
  const others = examples.filter((example) => !changesTheWorld(example));
  for (const example of others) lies.push(...lieIn(example, await provoke(example, app)));
  for (const example of changing) {
    await retellStory(app, example.operation.id);
    lies.push(...lieIn(example, await provoke(example, app)));
  }
  return lies;
}

const changesTheWorld = ({ status, operation }: AnswerExample): boolean =>
  status < 300 && operation.method !== 'GET';

function provoke({ operation, name, type }: AnswerExample, app: TestApp): Promise<Answer> {
  const valid = header('Accept', type ?? '*/*')(validRequest(operation));
  return send(PROVOCATIONS[name]?.(valid) ?? valid, app);
}

/** Where an answer is not what an example says; empty if it is. */
function lieIn(example: AnswerExample, answer: Answer): unknown[] {
  const { operation, status, type = null, name, value: body, headers } = example;
  const id = `${operation.id} ${name}`;
  const unforeseen = UNFORESEEN[id] ?? UNFORESEEN[name];
  const told = { status, type, body, headers };
  const given = {
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: asShown(answer.body, body, unforeseen),
    headers: asShown(headersOf(answer, Object.keys(headers)), headers, unforeseen),
  };
  return isDeepStrictEqual(given, told) ? [] : [{ id, type, given, told }];
}

const headersOf = ({ headers }: Answer, names: string[]): Record<string, string | null> =>
  Object.fromEntries(names.map((name) => [name, headers.get(name)]));

async function refusedRequests(app: TestApp): Promise<string[]> {
  const refused: string[] = [];
  for (const operation of exampleOperations)
    for (const request of operation.requests) {
      const sent = await asType(request, validRequest(operation));
      // Where another one before has changed what it needs, the story is told again.
      if ((await send(sent, app)).status < 300) continue;
      await retellStory(app, operation.id);
      const { status } = await send(sent, app);
      if (status >= 300) refused.push(`${operation.id} ${request.type} ${request.name}: ${status}`);
    }
  return refused;
}

async function refusedParameters(app: TestApp): Promise<string[]> {
  await retellStory(app, 'none');
  const refused: string[] = [];
  for (const operation of exampleOperations)
    for (const [name, value] of Object.entries(operation.query)) {
      const { status } = await send({ ...validRequest(operation), query: { [name]: value } }, app);
      if (status !== 200) refused.push(`${operation.id} ${name}=${value}: ${status}`);
    }
  return refused;
}
