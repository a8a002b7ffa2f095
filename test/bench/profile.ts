import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Argument, Command } from 'commander';
import { OperatorError } from '../../src/errors.ts';
import { disconnect } from './http-client.ts';
import { freePort } from './processes.ts';
import { createScope } from './scope.ts';
import { connectInspector } from './speed/inspector.ts';
import { CONNECTIONS } from './speed/lanes.ts';
import { allocations, selfTimes, summary } from './speed/profiles.ts';
import { startLatchkey } from './speed/servers.ts';
import { openSpeedStage } from './speed/stage.ts';
import { WORKS } from './speed/works.ts';
import { load } from './speed/wrk.ts';

// npm run bench:profile -- <work>: where the service's time goes, and what it allocates, under a work of `speed`.
// Each is taken in a run of its own, after a warm-up, with everything else as it is there.

const PROFILED = WORKS.filter(({ asks }) => asks !== undefined);
const ONCE_PER_SECOND = 8000;
const WARM_UP_SECONDS = 3;
const SAMPLED_MICROSECONDS = 200;
const SAMPLED_BYTES = 16_384;

const program = new Command('npm run bench:profile --')
  .description(
    'Profiles the service under a work of the speed benchmark: CPU time, then allocations.',
  )
  .addArgument(new Argument('<work>', 'what it is asked').choices(PROFILED.map(({ name }) => name)))
  .option('--seconds <number>', 'of each profile', Number, 5);

async function profile(name: string, seconds: number): Promise<void> {
  const asks = PROFILED.find((work) => work.name === name)?.asks;
  if (!asks) throw new OperatorError(`There is no work ${name}.`);
  const scope = createScope();
  try {
    const stage = await openSpeedStage(scope);
    const port = await freePort();
    const { origin } = await startLatchkey(stage.url, asks.settings ?? {}, scope, {
      nodeArgs: [`--inspect=127.0.0.1:${port}`],
    });
    const ask = async (duration: number): Promise<number> => {
      const requests = await asks.requests(stage, duration * ONCE_PER_SECOND);
      const how = { once: asks.once, connections: CONNECTIONS, seconds: duration };
      return (await load({ origin, requests, ...how })).requests;
    };
    const inspector = await connectInspector(port, scope);
    const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-profile-'));
    const keep = (file: string, taken: unknown): void => {
      writeFileSync(path.join(directory, file), JSON.stringify(taken));
    };
    await ask(WARM_UP_SECONDS);

    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.setSamplingInterval', { interval: SAMPLED_MICROSECONDS });
    await inspector.post('Profiler.start');
    const timed = await ask(seconds);
    const cpu = await inspector.post('Profiler.stop');
    keep(`${name}.cpuprofile`, cpu.profile);
    console.log(summary('CPU microseconds a request', selfTimes(cpu.profile), timed));

    await inspector.post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLED_BYTES,
      // All that was allocated, and not only what is left of it.
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    const counted = await ask(seconds);
    const heap = await inspector.post('HeapProfiler.stopSampling');
    keep(`${name}.heapprofile`, heap.profile);
    console.log(summary('bytes allocated a request', allocations(heap.profile), counted));
    console.log(`The profiles, for Chromium's developer tools: ${directory}`);
  } finally {
    disconnect();
    await scope.close();
  }
}

program.parse();
const [work = ''] = program.args;
try {
  await profile(work, program.opts<{ seconds: number }>().seconds);
} catch (error) {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
}
