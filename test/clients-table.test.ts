import test from 'ava';
import { readReadme, readResults, withTable } from './clients/results.ts';

test('the README says of the clients what their last run has found', async (t) => {
  const readme = readReadme();

  t.is(await withTable(readme, readResults()), readme);
  t.not(await withTable(readme, {}), readme);
});
