import net from 'node:net';
import { freePort } from './processes.ts';
import type { Scope } from './scope.ts';

export interface DatabaseProxy {
  /** The database's URL, through the proxy. */
  url: string;
  /** Breaks all connections and refuses new ones. */
  cut: () => void;
  /** Keeps all connections, accepts new ones, and passes no byte on. */
  freeze: () => void;
  /** Passes no byte on of the connections there are; new ones work. */
  freezeEstablished: () => void;
  restore: () => Promise<void>;
}

/** Told what the client of a new connection sends, chunk by chunk. */
export type Listener = () => (chunk: Buffer) => void;

interface Way {
  open: () => void;
  hold: () => void;
  break: () => void;
}

/** A TCP proxy before a database server that can be cut and frozen, as a network or a server is. */
export async function startDatabaseProxy(
  databaseUrl: string,
  scope: Scope,
  listen?: Listener,
): Promise<DatabaseProxy> {
  const url = new URL(databaseUrl);
  const ways = new Set<Way>();
  let isFrozen = false;
  const server = net.createServer((socket) => {
    const upstream = net.connect(Number(url.port), url.hostname);
    const hear = listen?.();
    const way: Way = {
      open: () => socket.pipe(upstream).pipe(socket),
      hold: () => [socket, upstream].forEach((one) => one.unpipe().pause()),
      break: () => [socket, upstream].forEach((one) => one.destroy()),
    };
    ways.add(way);
    for (const one of [socket, upstream])
      one
        .setNoDelay()
        .on('error', way.break)
        .on('close', () => {
          way.break();
          ways.delete(way);
        });
    if (hear) socket.on('data', hear);
    if (isFrozen) way.hold();
    else way.open();
  });
  const port = await freePort();
  const listenAgain = (): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listenAgain();
  const all = (act: keyof Way): void => ways.forEach((way) => way[act]());
  const cut = (): void => {
    server.close();
    all('break');
  };
  scope.onClose(cut);

  const proxied = new URL(url);
  proxied.port = String(port);
  return {
    url: proxied.href,
    cut,
    freeze: () => {
      isFrozen = true;
      all('hold');
    },
    freezeEstablished: () => all('hold'),
    restore: async () => {
      isFrozen = false;
      if (!server.listening) await listenAgain();
      all('open');
    },
  };
}
