import net from 'node:net';
import { Writable } from 'node:stream';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import Koa from 'koa';
import pino from 'pino';
import { createHttpServer } from '../../src/http/http-server.ts';
import { requestId } from '../../src/http/request-id.ts';
import { sendRaw, statusOf } from './raw.ts';

async function start(t: ExecutionContext) {
  const lines: string[] = [];
  const write = (chunk: Buffer, _: unknown, done: () => void): void => {
    lines.push(chunk.toString());
    done();
  };
  const koa = new Koa().use(requestId).use((ctx) => {
    ctx.body = 'reached';
  });
  const server = createHttpServer(koa, pino({ base: null }, new Writable({ write })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as net.AddressInfo; // a TCP socket that listens
  return { server, base: `http://127.0.0.1:${port}`, lines };
}

const UNREAD: [what: string, lines: string[], status: number, detail: string][] = [
  ['no HTTP', ['GET / HT'], 400, 'Malformed request.'],
  ['no host', ['GET / HTTP/1.1'], 400, 'Malformed request.'],
  [
    'two lengths',
    ['POST / HTTP/1.1', 'Host: a', 'Content-Length: 2', 'Content-Length: 3'],
    400,
    'Malformed request.',
  ],
  [
    'headers beyond all bounds',
    ['GET / HTTP/1.1', 'Host: a', `X-Any: ${'x'.repeat(20_000)}`],
    431,
    'Request Header Fields Too Large.',
  ],
  [
    'an unknown expectation',
    ['GET / HTTP/1.1', 'Host: a', 'Expect: more'],
    417,
    'Expectation Failed.',
  ],
];

for (const [what, request, status, detail] of UNREAD)
  test(`${what} is refused in JSON, under a name that the log knows`, async (t) => {
    const { base, lines } = await start(t);

    const answer = await sendRaw(base, `${request.join('\r\n')}\r\n\r\n`);

    const [head = '', body = ''] = answer.split('\r\n\r\n');
    const headers = new Map(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(': ') as [string, string]),
    );
    t.is(statusOf(answer), status);
    t.deepEqual(JSON.parse(body), { detail });
    t.is(headers.get('Content-Length'), String(body.length));
    t.is(headers.get('Content-Type'), 'application/json');
    t.is(headers.get('Connection'), 'close');
    const logged = lines.map((line) => JSON.parse(line));
    t.is(logged.length, 1);
    t.like(logged[0], { requestId: headers.get('X-Request-Id'), status });
  });

test('a caller who goes away amid a request leaves nothing in the log', async (t) => {
  const { base, lines, server } = await start(t);
  const closed = new Promise((resolve) =>
    server.on('connection', (socket) => socket.on('close', resolve)),
  );

  const caller = net.connect({ port: Number(new URL(base).port) }, () => {
    caller.write('GET / HTTP/1.1\r\nHost: a\r\n', () => caller.resetAndDestroy());
  });
  await closed;

  t.deepEqual(lines, []);
});

test('HTTP/1.0 needs no host', async (t) => {
  const { base } = await start(t);

  t.regex(await sendRaw(base, 'GET / HTTP/1.0\r\n\r\n'), /200 OK.*reached$/s);
});
