import { existsSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createApp } from '../../src/app.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { createLog } from '../../src/log.ts';
import { createClient } from '../support/client.ts';
import { testConfig } from '../support/config.ts';
import { createDeps } from '../support/deps.ts';
import { createUser } from '../support/factories.ts';
import { sendRaw, statusOf } from './raw.ts';

// Hostile requests as data, beside the repository: its README says what the members mean.
const FILE = path.join(import.meta.dirname, '../../../shared/attacks/http.json');

interface Request {
  method?: string;
  path?: string;
  auth?: string;
  headers?: Record<string, string | string[]>;
  json?: unknown;
  form?: Record<string, string>;
  text?: string;
  encoding?: BufferEncoding;
  base64?: string;
  contentType?: string | null;
  chunked?: boolean;
  raw?: string;
  expectStatus?: number[];
  capture?: Record<string, string>;
}
interface Attack {
  id: string;
  attack: string;
  request?: Request | Request[];
  expectStatus?: number[];
  expectHeaders?: Record<string, string | null>;
  expectNot?: string[];
  alike?: Aspect[];
}
type Aspect = 'status' | 'headers' | 'length' | 'body';
type Variables = Record<string, string>;

interface Answer {
  /** 0: closed without an answer. */
  status: number;
  headers: [name: string, value: string][];
  body: string;
  text: string;
}

const play = existsSync(FILE) ? test : test.skip;

play('no request of the corpus gets more than it should, nor a 5xx', async (t) => {
  t.timeout(60_000);
  const attacks: Attack[] = JSON.parse(readFileSync(FILE, 'utf8'));
  const playable = attacks.filter(({ request }) => request !== undefined);
  const { base, logIn } = await startServer(t);
  const misses: string[] = [];

  for (const attack of playable) misses.push(...(await missesOf(attack, base, await logIn())));

  t.deepEqual(misses, []);
  t.true(playable.length > 40, `${playable.length} attacks were played`);
  t.is(Reflect.get({}, 'is_staff'), undefined);
});

/** The service as it is started, and somebody who can log in again and again. */
async function startServer(t: ExecutionContext) {
  const config = testConfig();
  const deps = await createDeps(t, config);
  const log = createLog(config);
  const { koa } = await createApp(deps, log);
  const server = createHttpServer(koa, log);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP socket that listens
  const base = `http://${host}`;
  const client = createClient(t, base);
  const { username, plain: password, token: opaque } = await createUser({ deps });
  const logIn = async (): Promise<Variables> => {
    const { body } = await client.post('/login/', { json: { username, password } });
    return { ...(body as object), username, password, opaque, host }; // checked by the client
  };
  return { base, logIn };
}

async function missesOf(attack: Attack, base: string, variables: Variables): Promise<string[]> {
  const misses: string[] = [];
  const answers: Answer[] = [];
  for (const request of [attack.request ?? []].flat()) {
    const answer = parse(await sendRaw(base, serialize(request, variables)));
    const expected = request.expectStatus ?? attack.expectStatus ?? [];
    if (!expected.includes(answer.status)) misses.push(`${answer.status}, not ${expected.join()}`);
    if (answer.status >= 500) misses.push('a fault of ours');
    misses.push(...headerMisses(attack, answer));
    for (const text of attack.expectNot ?? [])
      if (answer.text.includes(text)) misses.push(`tells ${text}`);
    for (const [name, member] of Object.entries(request.capture ?? {}))
      variables[name] = String(JSON.parse(answer.body)[member]);
    answers.push(answer);
  }
  const different = (attack.alike ?? []).filter(
    (what) => new Set(answers.map(ASPECTS[what])).size > 1,
  );
  misses.push(...different.map((what) => `not alike in ${what}`));
  return misses.map((miss) => `${attack.id} (${attack.attack}): ${miss}`);
}

const ASPECTS: Record<Aspect, (answer: Answer) => unknown> = {
  status: ({ status }) => status,
  headers: ({ headers }) => headers.map(([name]) => name).join(),
  length: ({ body }) => body.length,
  body: ({ body }) => body,
};

function headerMisses({ expectHeaders = {} }: Attack, { status, headers }: Answer): string[] {
  if (status === 0) return [];
  return Object.entries(expectHeaders).flatMap(([name, pattern]) => {
    const value = headers.find(([known]) => known === name)?.[1];
    const isMet = pattern === null ? value === undefined : new RegExp(pattern).test(value ?? '');
    return isMet ? [] : [`${name} is ${value}`];
  });
}

/** The bytes of a request, as Latin-1 text: nothing in it is put right by a client. */
function serialize(request: Request, variables: Variables): string {
  const filled = fill(request, variables) as Request; // the same form, with other texts
  if (filled.raw !== undefined) return filled.raw;
  const { method = 'GET', path: target = '/', auth, headers = {}, chunked } = filled;
  const [content, type] = contentOf(filled);
  const contentType = filled.contentType === undefined ? type : filled.contentType;
  const lines = [
    `${method} ${target.replaceAll(' ', '%20')} HTTP/1.1`,
    `Host: ${variables.host}`,
    'Connection: close',
    ...(auth === undefined ? [] : [`Authorization: ${auth}`]),
    ...(contentType ? [`Content-Type: ${contentType}`] : []),
    ...Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}: ${value}`),
    ),
  ];
  if (content === undefined) return `${lines.join('\r\n')}\r\n\r\n`;
  const body = content.toString('latin1');
  const framed = chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  return `${[...lines, framing].join('\r\n')}\r\n\r\n${framed}`;
}

function contentOf({ json, form, text, encoding, base64 }: Request): [Buffer | undefined, string] {
  if (json !== undefined) return [Buffer.from(JSON.stringify(json)), 'application/json'];
  if (form)
    return [Buffer.from(new URLSearchParams(form).toString()), 'application/x-www-form-urlencoded'];
  if (base64 !== undefined) return [Buffer.from(base64, 'base64'), ''];
  return [text === undefined ? undefined : Buffer.from(text, encoding), ''];
}

function fill(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return fillText(value, variables);
  if (Array.isArray(value)) return value.map((item) => fill(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, fill(member, variables)]),
  );
}

function fillText(text: string, variables: Variables): string {
  return text
    .replace(/\$\{repeat:(.*?):(\d+)\}/g, (_, piece: string, count: string) =>
      piece.repeat(Number(count)),
    )
    .replace(/\$\{(\w+)(?:\|(upper|lower))?\}/g, (_, name: string, filter?: string) => {
      const value = variables[name];
      if (value === undefined) throw new Error(`the corpus asks for ${name}`);
      if (filter === 'upper') return value.toUpperCase();
      return filter === 'lower' ? value.toLowerCase() : value;
    });
}

function parse(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const headers = head
    .split('\r\n')
    .slice(1)
    .map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
  return { status: statusOf(text), headers, body: rest.join('\r\n\r\n'), text };
}
