import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ApiError } from '../../src/errors.ts';
import { readBody } from '../../src/http/body.ts';
import { createClient } from '../support/client.ts';
import type { Client } from '../support/client.ts';
import { quoted } from './quoted.ts';
import { sendRaw, statusOf } from './raw.ts';
import { listen } from './shell.ts';

const LIMIT = 100_000;

/** A server that answers what it read, or the refusal. */
async function startReader(t: ExecutionContext): Promise<{ client: Client; base: string }> {
  const base = await listen(t, async (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    try {
      response.end(JSON.stringify(await readBody(request, LIMIT)));
    } catch (error) {
      const refusal = error instanceof ApiError ? error : new ApiError('error', String(error));
      response.writeHead(refusal.status, refusal.headers).end(JSON.stringify(refusal.body));
    }
  });
  return { client: createClient(t, base), base };
}

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=XX';

function part(disposition: string, content: string, ...headers: string[]): string {
  const lines = [`Content-Disposition: form-data; ${disposition}`, ...headers];
  return `--XX\r\n${lines.join('\r\n')}\r\n\r\n${content}\r\n`;
}

const END = '--XX--\r\n';

const nested = (depth: number): unknown[] => (depth === 1 ? [] : [nested(depth - 1)]);

const READ: [type: string, body: string, data: unknown][] = [
  [JSON_TYPE, `{"a":${'['.repeat(31)}${']'.repeat(31)}}`, { a: nested(31) }],
  [
    JSON_TYPE,
    `{"a":"${'['.repeat(40)}\\"${'{'.repeat(40)}"}`,
    { a: `${'['.repeat(40)}"${'{'.repeat(40)}` },
  ],
  [JSON_TYPE, '{"a":1}', { a: 1 }],
  ['APPLICATION/JSON; Charset="UTF-8"', '{"a":"\xc3\xab"}', { a: 'ë' }],
  ['application/json; charset=latin-1', '{"a":"\xeb"}', { a: 'ë' }],
  ['application/json; charset=iso-8859-1', '{"a":"\xeb"}', { a: 'ë' }],
  ['application/json; charset=utf-16le', '{\0"\0a\0"\0:\x001\0}\0', { a: 1 }],
  ['application/json; indent=4', '[1]', [1]],
  [JSON_TYPE, ' null\n', null],
  [JSON_TYPE, '{"a":1,"a":2}', { a: 2 }],
  [JSON_TYPE, '{"a":"\\ud800"}', { a: '\ud800' }],
  [JSON_TYPE, '', {}],
  ['text/plain', '', {}],
  [FORM, 'a=1&b=x+y%26&a=2', { a: '2', b: 'x y&' }],
  [FORM, 'a&b=&=c', { a: '', b: '', '': 'c' }],
  [FORM, 'a=%zz&b=%ff', { a: '%zz', b: '\ufffd' }],
  [FORM, '?a=1', { '?a': '1' }],
  [`${FORM}; charset=utf-8`, 'a=\xc3\xab', { a: 'ë' }],
  [MULTIPART, part('name="a"', '1') + part('name="b"', 'x\r\ny') + END, { a: '1', b: 'x\r\ny' }],
  [MULTIPART, part('name="a"', '1') + part('name="a"', '2') + END, { a: '2' }],
  [MULTIPART, part('name="a"', '\xc3\xab', 'Content-Type: text/plain') + END, { a: 'ë' }],
  [MULTIPART, part('name="a"', '1', 'Content-Type: application/octet-stream') + END, { a: '1' }],
  [MULTIPART, part('name="a"; filename="a.txt"', 'text') + END, { a: { file: true } }],
  [MULTIPART, part('name="a"; filename=""', '') + END, {}],
  ['multipart/form-data; boundary="XX"', part('name="a"', '1') + END, { a: '1' }],
  [MULTIPART, `preamble\r\n${part('name="a"', '1')}--XX--epilogue`, { a: '1' }],
  [MULTIPART, END, {}],
];

for (const [type, body, data] of READ) {
  test(`${type}: ${quoted(body)} is ${quoted(data)}`, async (t) => {
    const { client } = await startReader(t);
    const isForm = body !== '' && !type.toLowerCase().startsWith(JSON_TYPE);

    const answer = await client.post('/read/', {
      raw: Buffer.from(body, 'latin1'),
      headers: { 'Content-Type': type },
    });

    t.deepEqual([answer.status, answer.body], [200, { data, isForm }]);
  });
}

test('of a form, the names that objects inherit are plain names', async (t) => {
  const { client } = await startReader(t);

  const { text } = await client.post('/read/', {
    raw: '__proto__=1&constructor=2',
    headers: { 'Content-Type': FORM },
  });

  t.is(text, '{"data":{"__proto__":"1","constructor":"2"},"isForm":true}');
});

const broken = (place: string): string => `JSON parse error - invalid JSON${place}`;
const unsupported = (type: string): string => `Unsupported media type "${type}" in request.`;
const MALFORMED = 'Multipart form parse error - Malformed body';
const NO_BOUNDARY = 'Multipart form parse error - Invalid boundary in multipart: None';

const REFUSED: [type: string, body: string, status: number, detail: string][] = [
  [JSON_TYPE, '['.repeat(50_000), 400, 'JSON parse error - nested deeper than 32 levels'],
  [JSON_TYPE, `{"a":${'['.repeat(32)}`, 400, 'JSON parse error - nested deeper than 32 levels'],
  [JSON_TYPE, '{"a":1', 400, broken(': line 1 column 7 (char 6)')],
  [JSON_TYPE, '{\n "a":x}', 400, broken('')],
  [JSON_TYPE, '{"a":1,\n}', 400, broken(': line 2 column 1 (char 8)')],
  [JSON_TYPE, "{'a':1}", 400, broken(': line 1 column 2 (char 1)')],
  [JSON_TYPE, '{"a":NaN}', 400, broken('')],
  [JSON_TYPE, '{} {}', 400, broken(': line 1 column 4 (char 3)')],
  [JSON_TYPE, '\xef\xbb\xbf{}', 400, broken('')],
  [JSON_TYPE, ' ', 400, broken(': line 1 column 2 (char 1)')],
  [JSON_TYPE, '{"a":"\xff"}', 400, 'JSON parse error - the body is not utf-8 text'],
  [
    'application/json; charset=nonsense',
    '{}',
    415,
    unsupported('application/json; charset=nonsense'),
  ],
  ['text/plain', 'a', 415, unsupported('text/plain')],
  ['application/jsonx', '{}', 415, unsupported('application/jsonx')],
  ['text/json', '{}', 415, unsupported('text/json')],
  ['json', '{}', 415, unsupported('json')],
  ['multipart/mixed; boundary=XX', END, 415, unsupported('multipart/mixed; boundary=XX')],
  ['multipart/form-data', END, 400, NO_BOUNDARY],
  ['multipart/form-data; boundary=', END, 400, NO_BOUNDARY],
  ['multipart/form-data; boundary=YY', END, 400, MALFORMED],
  [MULTIPART, 'no part at all', 400, MALFORMED],
  [MULTIPART, '--XX\nContent-Disposition: form-data; name="a"\n\n1\n--XX--', 400, MALFORMED],
  [FORM, 'a&'.repeat(1001), 400, 'Too many form fields.'],
  [MULTIPART, part('name="a"', '').repeat(1001) + END, 400, 'Too many form fields.'],
  [MULTIPART, part('name="a"; filename="f"', '').repeat(1001) + END, 400, 'Too many form fields.'],
];

for (const [type, body, status, detail] of REFUSED) {
  test(`${type}: ${quoted(body)} is refused with ${status}`, async (t) => {
    const { client } = await startReader(t);

    const answer = await client.post('/read/', {
      raw: Buffer.from(body, 'latin1'),
      headers: { 'Content-Type': type },
    });

    t.deepEqual([answer.status, answer.body], [status, { detail }]);
  });
}

test('a body without a Content-Type is refused as of no type', async (t) => {
  const { client } = await startReader(t);

  const answer = await client.post('/read/', { raw: '{}' });

  t.deepEqual([answer.status, answer.body], [415, { detail: unsupported('') }]);
});

for (const framing of ['with a Content-Length', 'in chunks'] as const) {
  const headers = {
    'Content-Type': JSON_TYPE,
    ...(framing === 'in chunks' && { 'Transfer-Encoding': 'chunked' }),
  };

  test(`a body ${framing} may be as long as the limit, and no longer`, async (t) => {
    const { client } = await startReader(t);

    const fits = await client.post('/read/', { raw: '1'.padEnd(LIMIT), headers });
    const exceeds = await client.post('/read/', { raw: '1'.padEnd(LIMIT + 1), headers });

    t.deepEqual([fits.status, fits.body], [200, { data: 1, isForm: false }]);
    t.deepEqual([exceeds.status, exceeds.body], [413, { detail: 'Request body is too large.' }]);
    t.is(exceeds.headers.get('connection'), 'close');
  });

  test(`an empty body ${framing} counts as no fields, whatever its type`, async (t) => {
    const { client } = await startReader(t);

    const answer = await client.post('/read/', {
      raw: '',
      headers: { ...headers, 'Content-Type': 'text/plain' },
    });

    t.deepEqual([answer.status, answer.body], [200, { data: {}, isForm: false }]);
  });
}

test('a form may have 1000 fields', async (t) => {
  const { client } = await startReader(t);
  const forms = [
    [FORM, 'a&'.repeat(1000)],
    [MULTIPART, part('name="a"', '').repeat(1000) + END],
  ] as const;

  for (const [type, raw] of forms) {
    const answer = await client.post('/read/', { raw, headers: { 'Content-Type': type } });
    t.deepEqual([answer.status, answer.body], [200, { data: { a: '' }, isForm: true }]);
  }
});

const WHOLE =
  part('name="a"', 'one') +
  part('name="f"; filename="f.txt"', 'two', 'Content-Type: text/plain') +
  END;

test('a multipart body that ends too early is refused wherever it is cut, and answered at once', async (t) => {
  const { client } = await startReader(t);
  const start = performance.now();

  for (let length = 1; length < WHOLE.indexOf(END) + END.length - 2; length += 1) {
    const headers = { 'Content-Type': MULTIPART };
    const answer = await client.post('/read/', { raw: WHOLE.slice(0, length), headers });
    t.deepEqual([length, answer.status, answer.body], [length, 400, { detail: MALFORMED }]);
  }

  t.true(performance.now() - start < 10_000);
});

test('a caller who breaks off inside a multipart file is of no consequence for the next one', async (t) => {
  const { client, base } = await startReader(t);
  const head = `POST /read/ HTTP/1.1\r\nHost: a\r\nContent-Type: ${MULTIPART}\r\n`;

  const cut = await sendRaw(base, `${head}Content-Length: 500\r\n\r\n${WHOLE.slice(0, 130)}`, {
    half: true,
  });
  const wrongChunk = await sendRaw(base, `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, {
    half: true,
  });

  t.deepEqual([statusOf(cut), statusOf(wrongChunk)], [400, 400]);
  t.is((await client.post('/read/', { json: {} })).status, 200);
});

test('random damage to a multipart body is refused or read, and never hangs or crashes', async (t) => {
  const { client } = await startReader(t);
  let seed = 20_261_123;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };

  for (let round = 0; round < 300; round += 1) {
    const at = random(WHOLE.length);
    const rest = WHOLE.slice(at + random(6));
    const raw = Buffer.from(WHOLE.slice(0, at) + String.fromCharCode(random(256)) + rest, 'latin1');
    const { status } = await client.post('/read/', { raw, headers: { 'Content-Type': MULTIPART } });
    t.true(status === 200 || status === 400, `${status} for ${quoted(raw.toString('latin1'))}`);
  }
});
