import { readFileSync } from 'node:fs';

// Prints the README's commands that have a tag behind ```sh, for the CI script to run:
// (none) against a running service, `stopped` while it is stopped, `server` with DATABASE_URL set.
// What is tagged `start` or `tests` the script runs by itself.
const tag = process.argv[2] ?? '';
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
for (const [, info, commands] of readme.matchAll(/^```sh ?(\w*)\n(.*?)^```$/gms))
  if (info === tag) console.log(commands);
