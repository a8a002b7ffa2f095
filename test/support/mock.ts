import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

const ROOT = path.join(import.meta.dirname, '../..');

/** What `npm run mock` runs, on a free port until the test ends; its address. */
export async function startMock(t: ExecutionContext): Promise<string> {
  const port = await freePort();
  const prism = path.join(ROOT, 'node_modules/.bin/prism');
  const mock = spawn(process.execPath, [prism, 'mock', '--port', String(port), 'openapi.yaml'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => mock.kill('SIGKILL'));
  await new Promise<void>((resolve) => {
    mock.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('listening')) resolve();
    });
  });
  return `http://127.0.0.1:${port}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP socket that listens
  await new Promise((resolve) => server.close(resolve));
  return port;
}
