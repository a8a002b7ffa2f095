import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { answerSeen, coverageOf, documentedAnswers } from './support/coverage.ts';

const DOCUMENTED = ['a 200 text/plain', 'a 404 text/plain', 'a 404 text/html', 'b 204'];

const RUNS: [seen: string[], line: string, missing: string[]][] = [
  [[], '0/2 operations, 0/4 documented responses', DOCUMENTED],
  [['c 200 text/plain', 'a 500', ''], '0/2 operations, 0/4 documented responses', DOCUMENTED],
  [['b 204'], '1/2 operations, 1/4 documented responses', DOCUMENTED.slice(0, 3)],
  [
    ['a 404 text/html', 'a 200 text/plain', 'b 204'],
    '2/2 operations, 3/4 documented responses',
    ['a 404 text/plain'],
  ],
  [DOCUMENTED, '2/2 operations, 4/4 documented responses', []],
];

for (const [seen, counts, missing] of RUNS)
  test(`having seen ${JSON.stringify(seen)}, a run has seen ${counts}`, (t) => {
    const line = `contract coverage: ${counts}`;

    t.deepEqual(coverageOf(new Set(seen), DOCUMENTED), { line, missing });
  });

const JSON_TYPE = { 'Content-Type': 'application/json' };
const SEEN: [
  request: string,
  status: number,
  headers: Record<string, string>,
  seen: string | undefined,
][] = [
  ['GET /products/?page_size=1', 200, JSON_TYPE, 'listProducts 200 application/json'],
  ['PATCH /products/7/', 406, JSON_TYPE, 'partialUpdateProduct 406 application/json'],
  ['DELETE /products/7/', 204, {}, 'destroyProduct 204'],
  ['HEAD /products/', 200, JSON_TYPE, undefined],
  ['OPTIONS /products/', 204, {}, undefined],
  ['POST /products/7/', 405, JSON_TYPE, undefined],
  ['GET /healthz', 200, JSON_TYPE, undefined],
];

for (const [request, status, headers, seen] of SEEN)
  test(`${request} with ${status} shows ${seen}`, (t) => {
    const [method = '', target = ''] = request.split(' ');

    const name = answerSeen(method, target, { status, headers: new Headers(headers) });

    t.is(name, seen);
    t.true(name === undefined || documentedAnswers().includes(name));
  });

const all = documentedAnswers();
const SUITES: [what: string, sees: string[], code: number, args: string[], exit: number][] = [
  ['sees everything', all, 0, [], 0],
  ['sees all but one', all.slice(1), 0, [], 1],
  ['sees everything and fails', all, 3, [], 3],
  ['sees nothing, and is a part', [], 0, ['test/any.test.ts'], 0],
];

// A script stands in for the suite.
const onPosix = process.platform === 'win32' ? test.skip : test;

for (const [what, sees, code, args, exit] of SUITES)
  onPosix(`a run that ${what} ends with ${exit}`, (t) => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-coverage-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    writeFileSync(path.join(directory, 'seen'), sees.join('\n'));
    const script = `#!/bin/sh\ncp ${directory}/seen "$CONTRACT_COVERAGE_DIR/"\nexit ${code}\n`;
    writeFileSync(path.join(directory, 'c8'), script, { mode: 0o755 });
    const PATH = `${directory}:${process.env.PATH}`;

    const run = path.join(import.meta.dirname, 'run.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [run, ...args], {
      env: { ...process.env, PATH },
      encoding: 'utf8',
    });

    t.is(status, exit);
    t.is(stdout, `\n${coverageOf(new Set(sees)).line}\n`);
    t.is(stderr, exit === 1 ? `no test has seen ${all[0]}\n` : '');
  });
