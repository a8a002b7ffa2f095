import os from 'node:os';
import bcrypt from 'bcrypt';
import { inLanes } from '../lanes.ts';

// node bare-bcrypt.ts COUNT COST: so many comparisons on all cores, and nothing else; prints the milliseconds it took.

const [count = 1, cost = 12] = process.argv.slice(2).map(Number);
const hash = await bcrypt.hash('password', cost);

const start = performance.now();
await inLanes(Array(count).fill('password'), os.availableParallelism(), async (password) => {
  await bcrypt.compare(password, hash);
});
console.log(performance.now() - start);
