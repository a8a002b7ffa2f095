import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { freePort } from './processes.ts';
import type { Scope } from './scope.ts';
import type { Settings } from './service.ts';

const METER = pathToFileURL(path.join(import.meta.dirname, 'cpu-meter.ts')).href;

export interface CpuMeter {
  /** What the server process has to be started with. */
  settings: Settings;
  /** To be called when it is ready. */
  connect: (scope: Scope) => Promise<ReadCpuTime>;
}

/** Milliseconds of CPU time that the process has used so far, in all its threads. */
export type ReadCpuTime = () => Promise<number>;

export async function createCpuMeter(): Promise<CpuMeter> {
  const port = await freePort();
  return {
    settings: { NODE_OPTIONS: `--import=${METER}`, CPU_METER_PORT: String(port) },
    connect: async (scope) => {
      const socket = net.connect(port, '127.0.0.1').setNoDelay();
      await once(socket, 'connect');
      scope.onClose(() => socket.destroy());
      const lines = createInterface(socket)[Symbol.asyncIterator]();
      return async () => {
        socket.write('?');
        const { value, done } = await lines.next();
        if (done) throw new Error('the process that was measured has left');
        return Number(value) / 1000;
      };
    },
  };
}
