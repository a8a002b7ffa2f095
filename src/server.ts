import { enableCompileCache } from 'node:module';
import path from 'node:path';

// First of all, and so in a file of its own: what a start has compiled, the next one loads. In a directory of ours,
// since whoever can write there decides what runs, and not the machine's common one for temporary files. Where it
// cannot be written the start only takes longer; NODE_COMPILE_CACHE names another one.
enableCompileCache(path.join(import.meta.dirname, '../node_modules/.cache/latchkey'));
await import('./start.ts');
