import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';

const ROOT = path.join(import.meta.dirname, '..');

// Who may import whom: from -> to. Types count as well. A new arrow is a change to this list.
const ARROWS: [from: string, to: string[]][] = [
  ['src/server.ts', ['src/{app,config,db,demo,deps,log,welcome}.ts']],
  ['src/cli.ts', ['src/commands/*.ts', 'src/{config,db,deps,errors}.ts']],
  ['src/welcome.ts', ['src/{config,demo}.ts']],
  ['src/demo.ts', ['src/{authtoken,products,users}/*.ts', 'src/deps.ts']],
  [
    'src/commands/*.ts',
    ['src/commands/*.ts', 'src/{authtoken,jwt,users}/*.ts', 'src/{config,db,deps,errors}.ts'],
  ],
  ['src/app.ts', ['src/http/*.ts', 'src/{contract,deps,operations}.ts']],
  [
    'src/operations.ts',
    ['src/*/{handlers,authentication}.ts', 'src/products/repository.ts', 'src/contract.ts'],
  ],
  ['src/http/*.ts', ['src/http/*.ts', 'src/{config,contract,db,deps,errors}.ts']],
  [
    'src/authtoken/*.ts',
    ['src/authtoken/*.ts', 'src/users/*.ts', 'src/{config,contract,db,deps,errors}.ts'],
  ],
  ['src/jwt/*.ts', ['src/jwt/*.ts', 'src/users/*.ts', 'src/{config,contract,db,deps,errors}.ts']],
  ['src/products/*.ts', ['src/products/*.ts', 'src/{contract,db,deps,errors}.ts']],
  ['src/users/*.ts', ['src/users/*.ts', 'src/{config,db,deps,errors}.ts']],
  ['src/contract.ts', ['generated/openapi.ts', 'src/{db,deps}.ts']],
  ['src/deps.ts', ['src/config.ts']],
  ['src/log.ts', ['src/config.ts']],
  ['src/db.ts', ['src/config.ts']],
  ['src/config.ts', ['src/secrets.ts']],
];

// Packages and globals with one door each.
const DOORS: [what: RegExp, files: string[]][] = [
  [/from 'openapi-backend'/, ['src/http/api.ts']],
  [/from 'jsonwebtoken'/, ['src/jwt/codec.ts']],
  [/from 'bcrypt'/, ['src/users/passwords.ts']],
  [/generated\/openapi/, ['src/commands/generate.ts', 'src/contract.ts']],
  [/process\.env\b/, ['src/config.ts']],
  [/new Date\(\)|Date\.now\(/, ['src/cli.ts', 'src/server.ts']],
];

interface Source {
  file: string;
  text: string;
  imports: string[];
}

const sources: Source[] = globSync('src/**/*.ts', { cwd: ROOT }).map((file) => {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const found = text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g);
  const imports = [...found].map(([, target = '']) => path.join(path.dirname(file), target));
  return { file, text, imports };
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

test('between capabilities only the accounts are shared', (t) => {
  const rooms = ['authtoken', 'jwt', 'products', 'users'];
  const roomOf = (file: string): string | undefined =>
    rooms.find((room) => file.startsWith(`src/${room}/`));

  const arrows = sources.flatMap(({ file, imports }) =>
    imports.map((target) => `${roomOf(file)} -> ${roomOf(target)}`),
  );

  const between = new Set(arrows.filter((arrow) => !/undefined|(\w+) -> \1$/.test(arrow)));
  t.deepEqual([...between].toSorted(), ['authtoken -> users', 'jwt -> users']);
});

for (const [what, files] of DOORS)
  test(`${what.source} is found behind its own door only`, (t) => {
    const users = sources.filter(({ text }) => what.test(text)).map(({ file }) => file);

    t.deepEqual(users.toSorted(), files);
  });

test('sources hold nothing that type stripping or the style refuses', (t) => {
  const refused =
    /^export default|[:<] ?any[,;)>\]]|\bas any\b|^(export )?(const )?enum |@ts-ignore|^\s*namespace /m;

  t.deepEqual(
    sources.filter(({ text }) => refused.test(text)).map(({ file }) => file),
    [],
  );
});
