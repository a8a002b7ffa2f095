import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

export interface RunningProcess {
  /** Also of its process group. */
  pid: number;
  /** What it wrote last, for the message when something is wrong with it. */
  output: () => string;
  /** Resolves when it has written `text`; rejects if it leaves before. */
  saying: (text: string) => Promise<void>;
  hasLeft: () => boolean;
  /** The exit code; null if a signal ended it. */
  exit: () => Promise<number | null>;
  /** Sends the signal and waits until it has left. */
  end: (signal: NodeJS.Signals) => Promise<void>;
}

const KEPT_OUTPUT = 8192;

// A crash of the harness, or a second Ctrl-C, must not leave servers behind either.
const running = new Map<ChildProcess, NodeJS.Signals>();
process.on('exit', () => {
  for (const [child, signal] of running) child.kill(signal);
});

/** `emergencySignal` is what it gets where there is no time to wait for it. */
export function startProcess(
  command: string,
  args: string[],
  {
    emergencySignal = 'SIGKILL',
    ...options
  }: SpawnOptions & { emergencySignal?: NodeJS.Signals } = {},
): RunningProcess {
  // Detached: the terminal's Ctrl-C is for the harness, which stops the others in order.
  const child = spawn(command, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.set(child, emergencySignal);
  const left = once(child, 'close')
    .then(([code]: (number | null)[]) => code ?? null)
    .finally(() => running.delete(child));
  left.catch(() => {}); // told where somebody waits for it
  let output = '';
  const heard = new EventTarget();
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
      heard.dispatchEvent(new Event('data'));
    });
  return {
    // 0 is nobody's: where the start has failed, `left` tells why.
    pid: child.pid ?? 0,
    output: () => output,
    hasLeft: () => !running.has(child),
    exit: () => left,
    saying: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.includes(text)) resolve();
        };
        heard.addEventListener('data', look);
        look();
        left.then(() => reject(new Error(`${command} has left:\n${output}`)), reject);
      }),
    end: async (signal) => {
      child.kill(signal);
      await left;
    },
  };
}

/**
 * A port nobody listens at. Not one of the system's choosing: those are also what connections come from, so
 * that a client which tries again while a server is down might take its port, or even connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .on('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
