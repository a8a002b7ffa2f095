import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';

const ROOT = path.join(import.meta.dirname, '..');

test('every test that SECURITY.md names is there', (t) => {
  const text = readFileSync(path.join(ROOT, 'SECURITY.md'), 'utf8');
  const lines = [...text.matchAll(/^\| (\d\.\d\.\d+) +\| .* \| (.*?) *\|$/gm)];
  const titles = lines.flatMap(([, , shown = '']) =>
    [...shown.matchAll(/`(.+?)`(?=,|$)/g)].map(([, title = '']) => title),
  );
  const sources = globSync('test/**/*.test.ts', { cwd: ROOT, exclude: ['**/node_modules/**'] })
    .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
    .join('\n');

  t.deepEqual(
    titles.filter((title) => !sources.includes(`'${title}'`) && !sources.includes(`\`${title}\``)),
    [],
  );
  t.true(lines.length > 45 && titles.length > 35, `${lines.length} lines, ${titles.length} tests`);
  // Each has a test, or says that it is documented.
  t.deepEqual(
    lines
      .filter(([, , shown = '']) => shown !== 'Docs' && !shown.startsWith('`'))
      .map(([, id]) => id),
    [],
  );
});
