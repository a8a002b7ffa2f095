import net from 'node:net';

/**
 * Sends bytes as they are, and reads until the server closes; what came is Latin-1 text, and empty where nothing
 * came. `half` closes our side after the bytes, as a caller does who breaks off.
 */
export async function sendRaw(base: string, bytes: string, { half = false } = {}): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.on('connect', () => {
      socket.write(Buffer.from(bytes, 'latin1'));
      if (half) socket.end();
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error) => {
      // A server may cut off who sends what it does not want to read.
      if ('code' in error && ['ECONNRESET', 'EPIPE'].includes(String(error.code))) socket.destroy();
      else reject(error);
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}
