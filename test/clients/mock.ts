import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../..');

/** The mock of `npm run mock`, on a free port. */
export async function startMock(): Promise<{ base: string; stop: () => void }> {
  const port = await freePort();
  const prism = path.join(ROOT, 'node_modules/.bin/prism');
  const mock = spawn(process.execPath, [prism, 'mock', '--port', String(port), 'openapi.yaml'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    mock.on('exit', () => reject(new Error('the mock has ended')));
    mock.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('listening')) resolve();
    });
  });
  return { base: `http://127.0.0.1:${port}`, stop: () => mock.kill('SIGKILL') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP socket that listens
  await new Promise((resolve) => server.close(resolve));
  return port;
}
