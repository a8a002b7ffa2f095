import test from 'ava';
import { times } from './figure.ts';
import { replaceSection } from './publish.ts';
import { judged } from './speed/goals.ts';
import { requireSameResults } from './speed/lanes.ts';
import { readPgbench } from './speed/pgbench.ts';
import { readStat } from './speed/process-group.ts';
import { selfTimes } from './speed/profiles.ts';
import { inRounds, ratiosOf } from './speed/rounds.ts';
import { framed, readResult } from './speed/wrk.ts';

const printed = (fields: object = {}): string =>
  `Running 2s test\nLOAD ${JSON.stringify({
    requests: 3000,
    micros: 2_000_000,
    sent: 3064,
    p50: 8500,
    p99: 21_000,
    refused: 0,
    broken: 0,
    late: 0,
    ...fields,
  })}\n`;

test('a run is read from what wrk prints, in seconds and milliseconds', (t) => {
  t.deepEqual(readResult(printed()), { requests: 3000, rate: 1500, p50: 8.5, p99: 21 });
});

for (const [what, output, available] of [
  ['an answer that is no success', printed({ refused: 1 }), Infinity],
  ['a connection that broke', printed({ broken: 1 }), Infinity],
  ['an answer that came too late', printed({ late: 1 }), Infinity],
  ['no answer at all', printed({ requests: 0 }), Infinity],
  ['a request that was sent a second time', printed(), 3063],
  ['a wrk that has not come to its end', 'Running 2s test\n', Infinity],
] as const)
  test(`${what} is a failure and no result`, (t) => {
    t.throws(() => readResult(output, available));
  });

test('a request is framed by its length in bytes', (t) => {
  const text = framed(
    { method: 'POST', path: '/products/', headers: { Authorization: 'Token a' }, json: { a: 'é' } },
    'http://127.0.0.1:8000',
  );

  const [length = '', ...rest] = text.split('\n');
  const request = rest.join('\n').slice(0, -1);
  t.is(Number(length), Buffer.byteLength(request));
  t.is(
    request,
    'POST /products/ HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAuthorization: Token a\r\n' +
      'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a":"é"}',
  );
});

test('runs are interleaved after a warm-up each', async (t) => {
  const order: string[] = [];
  const lane = (label: string) => ({
    label,
    measure: async (seconds: number) => {
      order.push(`${label}${seconds}`);
      return { rate: order.length };
    },
  });

  const results = await inRounds([lane('A'), lane('B')], {
    rounds: 2,
    seconds: 9,
    onRun: () => {},
  });

  t.deepEqual(order, ['A2', 'B2', 'A9', 'B9', 'A9', 'B9']);
  t.deepEqual(
    results.map(({ samples }) => samples.map(({ rate }) => rate)),
    [
      [3, 5],
      [4, 6],
    ],
  );
});

const lane = (label: string, ...rates: number[]) => ({
  label,
  samples: rates.map((rate) => ({ rate })),
});

test('a ratio is made round by round, and its median is held against the goal', (t) => {
  // The quotient of the medians would be 1.
  const ratios = ratiosOf(lane('A', 10, 20, 60), lane('B', 20, 10, 20));

  t.deepEqual(ratios, [0.5, 2, 3]);
  const { value, isMet } = times('A', ratios, 1.5);
  t.is(value, '2.00 (0.50 to 3.00)');
  t.true(isMet);
  t.false(times('A', ratios, 2.01).isMet);
});

test('of two things to be held against, the slower of each round counts', (t) => {
  const lanes = [
    lane('Latchkey', 70, 60),
    lane('pgbench, the same statement', 100, 200),
    lane('the HTTP limit', 200, 100),
  ];

  const [finding] = judged(new Map([['rotation', lanes]]));

  t.is(finding?.value, '0.60 (0.60 to 0.70)');
  t.false(finding?.isMet);
});

test('a goal whose contender is not there is skipped, and neither met nor missed', (t) => {
  const findings = judged(new Map([['verify', [lane('Latchkey', 70)]]]));

  t.deepEqual(
    findings.map(({ value, isMet }) => [value, isMet]),
    [
      ['skipped', undefined],
      ['skipped', undefined],
    ],
  );
});

const listing = (...results: object[]): string => JSON.stringify({ next: null, results });
const product = {
  id: 1,
  price: '12.30',
  created_at: '2026-11-23T08:00:00.5Z',
  updated_at: '2026-11-23T08:00:00Z',
};

test('lists are the same whatever the order of members and the spelling of times', (t) => {
  const { id, price } = product;
  const other = {
    created_at: '2026-11-23T08:00:00.500000+00:00',
    updated_at: '2026-11-23T08:00:00.000Z',
    price,
    id,
  };

  t.notThrows(() =>
    requireSameResults([
      { label: 'A', text: listing(product) },
      { label: 'B', text: listing(other) },
    ]),
  );
});

for (const [what, text] of [
  ['a product less', listing()],
  ['another id', listing({ ...product, id: 2 })],
  ['a price as a number', listing({ ...product, price: 12.3 })],
  ['another instant', listing({ ...product, created_at: '2026-11-23T08:00:00.501Z' })],
  ['a member more', listing({ ...product, more: null })],
] as const)
  test(`a list with ${what} is not the same work`, (t) => {
    const answers = [
      { label: 'A', text: listing(product) },
      { label: 'B', text },
    ];

    t.throws(() => requireSameResults(answers), { message: /^B lists other products than A/ });
  });

test('nothing listed is nothing compared', (t) => {
  const answers = ['A', 'B'].map((label) => ({ label, text: listing() }));

  t.throws(() => requireSameResults(answers));
});

test('CPU time and memory of a process are read behind a name that holds anything', (t) => {
  const fields = Array.from({ length: 50 }, (_, index) => index + 3);

  // The first of them is field 3, and each says its number.
  t.deepEqual(readStat(`7 (a) S ) (b) ${fields.join(' ')}`), {
    group: 5,
    ticks: 14 + 15,
    pages: 24,
  });
});

test('the rate of pgbench is read from its words', (t) => {
  const output =
    'number of transactions actually processed: 16384\ninitial connection time = 12.3 ms\n' +
    'tps = 8192.250000 (without initial connection time)\n';

  t.deepEqual(readPgbench(output), { rate: 8192.25, transactions: 16384 });
  t.throws(() => readPgbench('pgbench: error'));
});

const REPORT = '# Benchmarks\n\nWords.\n\n## races\n\nold\n\n### more\n\nold\n\n## kill\n\nkept\n';

test('a section takes the place of its own, with all that is under it', (t) => {
  t.is(
    replaceSection(REPORT, 'races', '## races\n\nnew $& $1'),
    '# Benchmarks\n\nWords.\n\n## races\n\nnew $& $1\n\n## kill\n\nkept\n',
  );
  t.is(
    replaceSection(REPORT, 'kill', '## kill\n\nnew'),
    REPORT.replace('kept', 'new'),
    'the last one',
  );
});

test('a new section comes before all others', (t) => {
  t.is(
    replaceSection(REPORT, 'speed', '## speed\n\nnew\n'),
    REPORT.replace('## races', '## speed\n\nnew\n\n## races'),
  );
});

test('a replaced section can be replaced again', (t) => {
  const once = replaceSection(REPORT, 'speed', '## speed\n\nnew');

  t.is(replaceSection(once, 'speed', '## speed\n\nnew'), once);
});

test('time of a profile is that of the function itself, by package, and idling is none', (t) => {
  const callFrame = (functionName: string, url: string) => ({
    functionName,
    url,
    lineNumber: 9,
    columnNumber: 0,
    scriptId: '0',
  });
  const nodes = [
    { id: 1, callFrame: callFrame('(idle)', '') },
    { id: 2, callFrame: callFrame('query', 'file:///a/node_modules/@b/c/lib/d.js') },
    { id: 3, callFrame: callFrame('', 'file:///latchkey/src/http/api.ts') },
  ];

  const shares = selfTimes({
    nodes,
    startTime: 0,
    endTime: 100,
    samples: [1, 2, 3, 2],
    timeDeltas: [50, 20, 10, 5],
  });

  t.deepEqual(shares, [
    { place: '@b/c', name: 'query :10', amount: 25 },
    { place: 'src/http/api.ts', name: '(anonymous) :10', amount: 10 },
  ]);
});
