import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { inTurn } from './turns.ts';
import type { Scope } from './scope.ts';

/** How much of an answer reaches the client before the connection breaks. */
export type Loss = 'all' | 'half';

export const LOSS_HEADER = 'x-lose';
export const ID_HEADER = 'x-request-id';

export interface LosingProxy {
  origin: string;
  /** Answers that the client never saw whole, by the id that their requests carried. */
  lost: Map<string, { status: number; text: string }>;
}

/**
 * An HTTP proxy before the replicas, in turn. Where a request asks for it, the proxy waits for the whole
 * answer, so that the server is done with it, and then breaks the client's connection in place of answering.
 */
export async function startLosingProxy(origins: string[], scope: Scope): Promise<LosingProxy> {
  const lost: LosingProxy['lost'] = new Map();
  const agent = new http.Agent({ keepAlive: true });
  let turn = 0;
  const server = http.createServer((incoming, outgoing) => {
    const { [LOSS_HEADER]: loss, [ID_HEADER]: id, host: _host, ...headers } = incoming.headers;
    const { method, url: path } = incoming;
    const { hostname, port } = new URL(inTurn(origins, (turn += 1)));
    const upstream = http.request({ hostname, port, method, path, headers, agent });
    upstream.on('error', () => outgoing.destroy());
    upstream.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('error', () => outgoing.destroy());
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const [status = 502, body] = [answer.statusCode, Buffer.concat(chunks)];
        if (loss !== undefined) lost.set(String(id), { status, text: body.toString() });
        if (loss === 'all') {
          incoming.socket.destroy();
          return;
        }
        outgoing.writeHead(status, { ...answer.headers, 'content-length': body.length });
        if (loss === undefined) outgoing.end(body);
        else
          outgoing.write(body.subarray(0, body.length / 2), () => {
            incoming.socket.destroy();
          });
      });
    });
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.onClose(() => {
    server.close();
    server.closeAllConnections();
    agent.destroy();
  });
  const { port } = server.address() as AddressInfo; // a TCP socket that listens
  return { origin: `http://127.0.0.1:${port}`, lost };
}
