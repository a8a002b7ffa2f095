import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../src/commands/progress.ts';
import { atLeast, exactly, measured } from '../bench/figure.ts';
import type { Figure } from '../bench/figure.ts';
import { exchange, send } from '../bench/http-client.ts';
import { freePort, startProcess } from '../bench/processes.ts';
import { SERVICE, serviceEnv, startReplicas } from '../bench/service.ts';
import { temporaryDirectory } from '../bench/temporary.ts';

// The service on its embedded database: writers add products without a pause until SIGKILL hits it in the middle. What
// was answered with 201 has to be there after the next start. In each round a second process tries the same directory.

const WRITERS = 8;
const WRITING_MS = [200, 600] as const;
const REFUSED = 'is in use by another process';
const AT_ONCE = 32;

export const embedded: Figure = {
  name: 'embedded',
  summary:
    'The embedded database killed while it writes, and its directory tried by a second process',
  conditions: `one process with its embedded database; ${WRITERS} clients add products without a pause until SIGKILL`,
  rounds: 200,
  roundsAre: 'kills',
  expectedSeconds: 900,
  run: async (rounds, scope) => {
    const settings = {
      NODE_ENV: 'development',
      DATA_DIR: path.join(temporaryDirectory(), 'embedded'),
    };
    const [replica] = await startReplicas([undefined], settings, scope);
    if (!replica) throw new Error('there is nobody to ask');
    const token = readFileSync(path.join(settings.DATA_DIR, 'demo-token'), 'utf8').trim();
    const headers = { Authorization: `Token ${token}` };
    const acknowledged = new Set<string>();
    let lost = 0;
    let interrupted = 0;
    let unexpected = 0;
    let admitted = 0;
    let longestStart = 0;

    const write = async (name: string): Promise<void> => {
      for (let count = 0; ; count += 1) {
        const json = { name: `${name} ${count}`, price: '1.00' };
        try {
          const { status, body } = await send(replica.origin, '/products/', {
            method: 'POST',
            json,
            headers,
          });
          if (status === 201) acknowledged.add(String(body.id));
          else unexpected += 1;
        } catch {
          interrupted += 1;
          return; // the kill
        }
      }
    };
    const secondProcess = async (): Promise<void> => {
      const second = startProcess(process.execPath, SERVICE, {
        env: { ...serviceEnv(undefined, settings), PORT: String(await freePort()) },
        cwd: temporaryDirectory(),
      });
      const code = await Promise.race([second.exit(), pause(10_000, 'still runs' as const)]);
      if (code === 'still runs') await second.end('SIGKILL');
      // A line of its own, and no stack beneath it.
      const said = second.output().trim().split('\n');
      if (code === 0 || said.length !== 1 || !said[0]?.includes(REFUSED)) admitted += 1;
    };
    const isThere = async (id: string): Promise<boolean> =>
      (await exchange(replica.origin, `/products/${id}/`, { headers })).status === 200;

    const progress = startProgress('Kills', rounds);
    for (let round = 0; round < rounds; round += 1) {
      const known = acknowledged.size;
      // Every tenth time: a start costs both processors.
      if (round % 10 === 0) await secondProcess();
      const writers = Array.from({ length: WRITERS }, (_, index) => write(`${round} ${index}`));
      const [from, to] = WRITING_MS;
      await pause(from + Math.random() * (to - from));
      await replica.kill();
      await Promise.all(writers);
      const start = performance.now();
      await replica.start();
      longestStart = Math.max(longestStart, performance.now() - start);
      lost += await missingOf([...acknowledged].slice(known), isThere);
      progress.advanceTo(round + 1);
    }
    progress.stop();
    return {
      findings: [
        measured('writes acknowledged', acknowledged.size),
        exactly('of them lost at the next start', lost, 0),
        exactly('of them lost in the end', await missingOf([...acknowledged], isThere), 0),
        atLeast('writes interrupted', interrupted, rounds),
        exactly('answers other than 201', unexpected, 0),
        measured('second processes on the directory', Math.ceil(rounds / 10)),
        exactly('of them not refused with one sentence', admitted, 0),
        measured('the longest start after a kill', longestStart / 1000, 's'),
      ],
      tables: [],
    };
  },
};

async function missingOf(
  ids: string[],
  isThere: (id: string) => Promise<boolean>,
): Promise<number> {
  let missing = 0;
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const found = await Promise.all(ids.slice(from, from + AT_ONCE).map(isThere));
    missing += found.filter((isFound) => !isFound).length;
  }
  return missing;
}
