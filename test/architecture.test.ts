import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import ts from 'typescript';

const ROOT = path.join(import.meta.dirname, '..');

// Who may import whom: from -> to. Types count as well. A new arrow is a change to this list.
const ARROWS: [from: string, to: string[]][] = [
  [
    'src/serve.ts',
    [
      'src/{app,config,custom-claims,db,demo,deps,leaving,schema}.ts',
      'src/http/http-server.ts',
      'src/jwt/{key-watch,sweeper}.ts',
      'src/revocation/live.ts',
      'src/metrics/{metrics,prometheus}.ts',
      'src/throttle/throttle.ts',
      'src/users/bulkhead.ts',
    ],
  ],
  ['src/server.ts', ['src/start.ts']],
  [
    'src/start.ts',
    [
      'src/{config,errors,leaving,log,primary,serve,welcome,worker}.ts',
      'src/metrics/metrics-server.ts',
    ],
  ],
  [
    'src/primary.ts',
    ['src/{config,leaving,log,welcome,worker}.ts', 'src/metrics/{metrics-server,prometheus}.ts'],
  ],
  ['src/worker.ts', ['src/{config,leaving,log,serve}.ts', 'src/metrics/metrics-server.ts']],
  [
    'src/cli.ts',
    ['src/commands/*.ts', 'src/{config,db,deps,errors,schema,setting-parsers,settings,text}.ts'],
  ],
  ['src/welcome.ts', ['src/{config,demo}.ts']],
  ['src/demo.ts', ['src/{accounts,authtoken,products,users}/*.ts', 'src/deps.ts']],
  [
    'src/commands/*.ts',
    [
      'src/commands/*.ts',
      'src/{accounts,audit,authtoken,jwt,users}/*.ts',
      'src/{config,db,deps,errors,file-lock,key-directory,schema,secrets,text}.ts',
    ],
  ],
  ['src/commands/mock.ts', ['src/http/mock.ts', 'src/contract.ts']],
  ['src/app.ts', ['src/http/*.ts', 'src/jwt/key-watch.ts', 'src/{contract,deps,operations}.ts']],
  [
    'src/operations.ts',
    [
      'src/*/{handlers,session-handlers,authentication}.ts',
      'src/products/repository.ts',
      'src/contract.ts',
    ],
  ],
  [
    'src/http/*.ts',
    [
      'src/http/*.ts',
      'src/metrics/metrics.ts',
      'src/{config,contract,db,deps,entity-tag,errors,problems,schema,text}.ts',
    ],
  ],
  [
    'src/accounts/*.ts',
    ['src/{accounts,authtoken,users}/*.ts', 'src/{config,contract,db,deps,errors,text}.ts'],
  ],
  [
    'src/authtoken/*.ts',
    ['src/authtoken/*.ts', 'src/users/*.ts', 'src/{config,contract,db,deps,errors,statement}.ts'],
  ],
  [
    'src/jwt/*.ts',
    [
      'src/jwt/*.ts',
      'src/metrics/metrics.ts',
      'src/users/*.ts',
      'src/revocation/{live,stream}.ts',
      'src/{config,contract,cursor,db,deps,errors,key-directory,secrets,statement,text}.ts',
    ],
  ],
  [
    'src/oauth/*.ts',
    ['src/oauth/*.ts', 'src/{authtoken,jwt}/*.ts', 'src/{config,contract,db,deps,errors}.ts'],
  ],
  [
    'src/products/*.ts',
    [
      'src/products/*.ts',
      'src/idempotency/answer-once.ts',
      'src/{contract,cursor,db,deps,entity-tag,errors,statement,text}.ts',
    ],
  ],
  ['src/idempotency/*.ts', ['src/idempotency/*.ts', 'src/{contract,deps,errors}.ts']],
  ['src/audit/*.ts', ['src/audit/*.ts', 'src/{statement,text}.ts']],
  [
    'src/users/*.ts',
    ['src/users/*.ts', 'src/audit/*.ts', 'src/{config,db,deps,errors,statement,text}.ts'],
  ],
  ['src/contract.ts', ['generated/openapi.ts', 'src/{db,deps}.ts']],
  ['src/errors.ts', ['src/problems.ts']],
  ['src/problems.ts', ['generated/openapi.ts']],
  ['src/text.ts', ['src/errors.ts']],
  ['src/cursor.ts', ['src/{contract,errors}.ts']],
  ['src/custom-claims.ts', ['src/deps.ts']],
  [
    'src/deps.ts',
    [
      'src/{config,db}.ts',
      'src/revocation/live.ts',
      'src/throttle/throttle.ts',
      'src/metrics/metrics.ts',
    ],
  ],
  ['src/metrics/*.ts', ['src/metrics/*.ts', 'src/config.ts']],
  ['src/throttle/*.ts', ['src/throttle/*.ts', 'src/{config,contract,errors,setting-parsers}.ts']],
  ['src/revocation/*.ts', ['src/revocation/*.ts', 'src/{channel,config,db}.ts']],
  ['src/log.ts', ['src/config.ts']],
  ['src/leaving.ts', ['src/config.ts']],
  ['src/db.ts', ['src/{channel,config,errors,file-lock,statement}.ts']],
  ['src/schema.ts', ['src/{db,errors}.ts']],
  ['src/settings.ts', ['src/setting-parsers.ts']],
  ['src/config.ts', ['src/{checklist,errors,key-directory,secret-settings,settings}.ts']],
  ['src/secret-settings.ts', ['src/{checklist,errors,key-directory,secrets,settings}.ts']],
  ['src/key-directory.ts', ['src/{errors,secrets,settings}.ts']],
];

// What has one door each: packages, and what reads the world outside.
const PACKAGES: [name: string, files: string[]][] = [
  ['openapi-backend', ['src/http/api.ts']],
  ['jsonwebtoken', ['src/jwt/codec.ts']],
  ['rate-limiter-flexible', ['src/throttle/store.ts']],
  ['prom-client', ['src/metrics/prometheus.ts']],
  ['ioredis', ['src/throttle/store.ts']],
  ['bcrypt', ['src/users/passwords.ts']],
  ['@stoplight/prism-core', ['src/http/mock.ts']],
  ['@fastify/busboy', ['src/http/body.ts']],
  ['../generated/openapi.ts', ['src/contract.ts', 'src/problems.ts']],
];
const DOORS: [what: RegExp, files: string[]][] = [
  [/generated\/openapi/, ['src/commands/generate.ts', 'src/contract.ts', 'src/problems.ts']],
  [/process\.env\b/, ['src/config.ts', 'src/users/bulkhead.ts']],
  [/new Date\(\)|Date\.now\(/, ['src/cli.ts', 'src/serve.ts']],
];

interface Source {
  file: string;
  text: string;
  /** As they are written: of values, of types, and at run time. */
  specifiers: string[];
  /** The files of ours among them. */
  imports: string[];
}

const sources: Source[] = globSync('src/**/*.ts', { cwd: ROOT }).map((file) => {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const specifiers = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
  const imports = specifiers
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => path.join(path.dirname(file), specifier));
  return { file, text, specifiers, imports };
});

test('imports only run down', (t) => {
  const wrong = sources.flatMap(({ file, imports }) => {
    const allowed = ARROWS.filter(([from]) => path.matchesGlob(file, from)).flatMap(([, to]) => to);
    return imports
      .filter((target) => !allowed.some((glob) => path.matchesGlob(target, glob)))
      .map((target) => `${file} imports ${target}`);
  });

  t.deepEqual(wrong, []);
  t.true(sources.length > 40, 'the sources were found');
});

test('between capabilities only the users are shared, and accounts and oauth join them with tokens', (t) => {
  const rooms = ['accounts', 'authtoken', 'jwt', 'oauth', 'products', 'users'];
  const roomOf = (file: string): string | undefined =>
    rooms.find((room) => file.startsWith(`src/${room}/`));

  const arrows = sources.flatMap(({ file, imports }) =>
    imports.map((target) => `${roomOf(file)} -> ${roomOf(target)}`),
  );

  const between = new Set(arrows.filter((arrow) => !/undefined|(\w+) -> \1$/.test(arrow)));
  t.deepEqual([...between].toSorted(), [
    'accounts -> authtoken',
    'accounts -> users',
    'authtoken -> users',
    'jwt -> users',
    'oauth -> authtoken',
    'oauth -> jwt',
  ]);
});

for (const [what, files] of DOORS)
  test(`${what.source} is found behind its own door only`, (t) => {
    const users = sources.filter(({ text }) => what.test(text)).map(({ file }) => file);

    t.deepEqual(users.toSorted(), files);
  });

for (const [name, files] of PACKAGES)
  test(`${name} is imported behind its own door only`, (t) => {
    const users = sources.filter(({ specifiers }) => specifiers.includes(name));

    t.deepEqual(
      users.map(({ file }) => file),
      files,
    );
  });

const REFUSED: [what: string, is: (node: ts.Node) => boolean][] = [
  ['any', (node) => node.kind === ts.SyntaxKind.AnyKeyword],
  ['an enum', ts.isEnumDeclaration],
  ['a namespace', ts.isModuleDeclaration],
  ['a default export', (node) => ts.isExportAssignment(node) || isDefaultModifier(node)],
  ['a non-null assertion', ts.isNonNullExpression],
];

const isDefaultModifier = ({ kind }: ts.Node): boolean => kind === ts.SyntaxKind.DefaultKeyword;

test('sources hold nothing that the style refuses', (t) => {
  const found = sources.flatMap(({ file, text }) =>
    nodesOf(ts.createSourceFile(file, text, ts.ScriptTarget.Latest)).flatMap((node) =>
      REFUSED.filter(([, is]) => is(node)).map(([what]) => `${file} has ${what}`),
    ),
  );

  t.deepEqual(found, []);
  t.deepEqual(
    sources.filter(({ text }) => /@ts-(ignore|expect-error|nocheck)/.test(text)),
    [],
  );
});

function nodesOf(node: ts.Node): ts.Node[] {
  const nodes = [node];
  ts.forEachChild(node, (child) => {
    nodes.push(...nodesOf(child));
  });
  return nodes;
}

test('no file is named after a drawer', (t) => {
  const drawer =
    /\/(utils?|helpers?|common|misc|types|base|services?|managers?|index|shared|lib)(\/|\.ts$)/;

  t.deepEqual(
    sources.map(({ file }) => file).filter((file) => drawer.test(file)),
    [],
  );
});
