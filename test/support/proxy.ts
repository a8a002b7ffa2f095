import net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

export interface Proxy {
  url: string;
  /** Keeps all connections, and passes nothing on. */
  freeze: () => void;
  cut: () => void;
  restore: () => Promise<void>;
}

/** A TCP proxy before the database server that can be cut, as a network or a server is. */
export async function startProxy(t: ExecutionContext, database: string): Promise<Proxy> {
  const target = new URL(database);
  const sockets = new Set<net.Socket>();
  const listener = net.createServer((socket) => {
    const upstream = net.connect(Number(target.port || 5432), target.hostname);
    for (const one of [socket, upstream]) {
      sockets.add(one);
      one.on('error', () => one.destroy()).on('close', () => sockets.delete(one));
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo; // a TCP socket that listens
  const freeze = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  const cut = (): void => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(cut);
  const proxied = new URL(target);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(port);
  const restore = async (): Promise<void> => {
    await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  };
  return { url: proxied.href, freeze, cut, restore };
}
