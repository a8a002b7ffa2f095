import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import { below, exactly, measured, percentile } from '../bench/figure.ts';
import type { Figure } from '../bench/figure.ts';
import { exchange } from '../bench/http-client.ts';
import { startPostgres } from '../bench/postgres.ts';
import { openStage } from '../bench/service.ts';
import { createUsers, openSession } from '../bench/sessions.ts';
import { residentBytesOf } from '../bench/speed/process-group.ts';
import { others, startLoad } from './load.ts';

// Clients that take their time: some send a header every second and never the last, some a byte of a body, and some ask
// for the contract again and again and read nothing. Beside them others ask for pages as ever.

const RATE = 100;
const WATCH_MS = 14_000;
const WARM_MS = 5000;
const RAMP_MS = 3000;
const MIB = 2 ** 20;
const KINDS = {
  header: { share: 10, opening: 'GET / HTTP/1.1\r\nHost: a\r\n', drip: 'X-Slow: 1\r\n' },
  body: {
    share: 2,
    opening:
      'POST /login/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    drip: ' ',
  },
  reader: {
    share: 1,
    opening: 'GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(8),
    drip: '',
  },
} as const;

type Kind = keyof typeof KINDS;

interface SlowSocket {
  kind: Kind;
  /** Milliseconds until the server had enough of it. */
  cutAfter: () => number | undefined;
  close: () => void;
}

export const slow: Figure = {
  name: 'slow',
  summary: 'Thousands of clients that send or read slowly',
  conditions: `one replica, ${RATE} pages/s by JWT beside them; of 13 sockets 10 send headers slowly, 2 a body, and 1 reads nothing`,
  rounds: 6500,
  roundsAre: 'sockets',
  expectedSeconds: 40,
  run: async (rounds, scope) => {
    const url = await startPostgres(scope);
    const { deps, replicas } = await openStage(url, {}, { replicas: 1 }, scope);
    const [[user], [replica]] = [await createUsers(1, deps), replicas];
    if (!user || !replica) throw new Error('there is nobody to ask, or nobody who asks');
    const { access: bearer } = await openSession(user, deps);
    const ask = () => exchange(replica.origin, '/products/', { bearer });
    const before = startLoad(RATE, ask);
    await pause(WARM_MS);
    await before.stop();

    const rss = (): number => residentBytesOf(replica.group()) / MIB;
    const atFirst = rss();
    let most = atFirst;
    const load = startLoad(RATE, ask);
    const mix = Object.entries(KINDS).flatMap(([kind, { share }]) =>
      Array<Kind>(share).fill(kind as Kind),
    );
    const sockets: SlowSocket[] = [];
    // Not all at once, which would be felt here as well.
    while (sockets.length < rounds) {
      for (const kind of mix) sockets.push(open(kind, replica.origin));
      await pause((RAMP_MS * mix.length) / rounds);
    }
    scope.onClose(() => sockets.forEach(({ close }) => close()));
    const progress = startProgress('Seconds', WATCH_MS / 1000);
    for (let waited = 0; waited < WATCH_MS; waited += 250) {
      await pause(250);
      most = Math.max(most, rss());
      progress.advanceTo(waited / 1000);
    }
    progress.stop();
    const tally = await load.stop();
    const latencies = tally.answers.map(({ sentAt, at }) => at - sentAt);
    const cuts = sockets.map(({ cutAfter }) => cutAfter());
    const longest = (kind: Kind): number =>
      Math.max(
        0,
        ...sockets.filter((one) => one.kind === kind).map(({ cutAfter }) => cutAfter() ?? Infinity),
      ) / 1000;
    return {
      findings: [
        measured('slow sockets', sockets.length),
        exactly('not cut in the end', cuts.filter((cut) => cut === undefined).length, 0),
        below('slow headers cut, the last', longest('header'), 12, 's'),
        below('slow bodies cut, the last', longest('body'), 12, 's'),
        below('slow readers cut, the last', longest('reader'), 12, 's'),
        measured('pages meanwhile', tally.sent),
        exactly('of them not answered with 200', others(tally, [200]), 0),
        below('p99 of a page', percentile(latencies, 0.99), 50, 'ms'),
        below('memory beyond that at first', most - atFirst, 80, 'MiB'),
      ],
      tables: [],
      notes: [...tally.statuses].map(([status, count]) => `${count} answers of ${status}.`),
    };
  },
};

const DRIP_MS = 1000;
const READER_LOOKS_MS = 11_500;

function open(kind: Kind, origin: string): SlowSocket {
  const { hostname, port } = new URL(origin);
  const { opening, drip } = KINDS[kind];
  const start = performance.now();
  let cut: number | undefined;
  const socket = net.connect(Number(port), hostname, () => socket.write(opening));
  const timer = setInterval(() => {
    if (drip !== '') socket.write(drip);
  }, DRIP_MS);
  socket.on('error', () => {}); // its end is what counts
  socket.on('close', () => {
    clearInterval(timer);
    cut ??= performance.now() - start;
  });
  if (kind === 'reader') {
    socket.pause();
    // Who does not read does not hear of the end either, so that it is asked for late: what it tells is an upper bound.
    setTimeout(() => socket.resume(), READER_LOOKS_MS).unref();
  } else socket.resume();
  return { kind, cutAfter: () => cut, close: () => socket.destroy() };
}
