import os from 'node:os';
import bcrypt from 'bcrypt';

// node bare-bcrypt.ts COUNT COST: so many comparisons on all cores, and nothing else; prints the milliseconds it took.

const [count = 1, cost = 12] = process.argv.slice(2).map(Number);
const hash = await bcrypt.hash('password', cost);
let given = 0;

async function compare(): Promise<void> {
  while (given < count) {
    given += 1;
    await bcrypt.compare('password', hash);
  }
}

const start = performance.now();
await Promise.all(Array.from({ length: os.availableParallelism() }, compare));
console.log(performance.now() - start);
