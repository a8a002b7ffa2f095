import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { contractDocument } from '../../src/contract.ts';
import { createScope } from '../bench/scope.ts';
import { declaredLinks, findingsOf } from './fuzz/findings.ts';
import { fuzz, RUNS, SCHEMATHESIS } from './fuzz/fuzzer.ts';
import type { Fuzzed, Run } from './fuzz/fuzzer.ts';
import { startService } from './service.ts';

const SEED = 3;
const EXAMPLES = 10;
const STAFF = { username: 'staff', password: 'a battery, a staple', clientSecret: 'x'.repeat(40) };

const scope = createScope();
test.after.always(scope.close);

let origin = '';
let directory = '';
const fuzzed: Fuzzed[] = [];

// One at a time: each has the service for itself, and what it finds depends on the seed alone.
const fuzzing = SCHEMATHESIS === undefined ? test.skip : test.serial;
const REASON = SCHEMATHESIS === undefined ? ' (needs Schemathesis: npm run setup:tools)' : '';

if (SCHEMATHESIS !== undefined)
  test.before(async (t) => {
    t.timeout(120_000);
    directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-fuzzed-'));
    scope.onClose(() => rmSync(directory, { recursive: true, force: true }));
    const stock = { password: STAFF.password, staff: [STAFF.username], users: [], products: 60 };
    ({ origin } = await startService(
      { INTROSPECTION_CLIENT_SECRET: STAFF.clientSecret },
      stock,
      scope,
    ));
  });

async function fuzzWith(t: ExecutionContext, run: Run, contract?: string): Promise<Fuzzed> {
  t.timeout(300_000);
  const log = path.join(directory, `${run.name}.log`);
  const found = await fuzz({
    ...STAFF,
    origin,
    run,
    seed: SEED,
    examples: EXAMPLES,
    contract,
    output: openSync(log, 'w'),
  });
  if (contract === undefined && findingsOf([found]).length > 0) t.log(readFileSync(log, 'utf8'));
  return found;
}

for (const run of RUNS)
  fuzzing(
    `nothing made up from the contract makes the service break it: ${run.name}${REASON}`,
    async (t) => {
      const found = await fuzzWith(t, run);

      t.deepEqual(findingsOf([found]), []);
      fuzzed.push(found);
    },
  );

fuzzing(`every link that the contract declares was followed${REASON}`, (t) => {
  const unfollowed = declaredLinks().filter((link) => fuzzed.every((run) => !run.links[link]));

  t.deepEqual(unfollowed, []);
  t.is(declaredLinks().length, 21);
});

fuzzing(`what a contract promises and the service does not keep is found${REASON}`, async (t) => {
  const document = structuredClone(contractDocument()) as Altered;
  const { createProduct, retrieveProduct } = {
    createProduct: document.paths['/products/'].post,
    retrieveProduct: document.paths['/products/{id}/'].get,
  };
  delete retrieveProduct.responses['404'];
  delete createProduct.responses['400'];
  document.components.schemas.ProductInput.properties.stock.maximum = 10;
  document.components.schemas.ProductInput.properties.name.maxLength = 201;
  document.components.schemas.Product.properties.stock.type = 'string';
  document.components.headers.Vary.required = true;
  document.components.headers.Vary.schema.enum = ['Cookie'];
  const contract = path.join(directory, 'openapi.json');
  writeFileSync(contract, JSON.stringify(document));

  const { failures } = await fuzzWith(
    t,
    {
      name: 'altered',
      scheme: 'tokenAuth',
      operations: ['createProduct', 'retrieveProduct'],
      phases: ['examples', 'coverage'],
      share: 1,
    },
    contract,
  );

  t.deepEqual(failures.map(({ title }) => title).toSorted(), [
    'Response header does not conform to the schema',
    'Response violates schema',
    'Schema-valid request rejected',
    'Schema-violating request accepted',
    'Undocumented status code',
  ]);
});

interface Altered {
  paths: {
    '/products/': { post: { responses: Record<string, unknown> } };
    '/products/{id}/': { get: { responses: Record<string, unknown> } };
  };
  components: {
    headers: { Vary: { required?: boolean; schema: { enum?: string[] } } };
    schemas: {
      ProductInput: { properties: { stock: { maximum: number }; name: { maxLength: number } } };
      Product: { properties: { stock: { type: string } } };
    };
  };
}
