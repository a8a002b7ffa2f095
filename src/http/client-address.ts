import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

/**
 * The address of the client: of the peer, unless that is one of the proxies that may speak for others. Then
 * X-Forwarded-For is read from the right, where each proxy writes whom it heard, as far as those are proxies of ours.
 */
export function clientAddress(proxies: BlockList): (request: IncomingMessage) => string {
  return ({ socket, headers }) => {
    let address = plainAddress(socket.remoteAddress ?? '0.0.0.0');
    const forwarded = headers['x-forwarded-for'];
    if (forwarded === undefined || !isListed(proxies, address)) return address;
    const heard = String(forwarded).split(',', MOST_HOPS + 1);
    if (heard.length > MOST_HOPS) return address;
    for (const entry of heard.toReversed()) {
      const next = plainAddress(entry.trim());
      if (isIP(next) === 0) break;
      address = next;
      if (!isListed(proxies, address)) break;
    }
    return address;
  };
}

const MOST_HOPS = 100;

const isListed = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

// Without the mapping of IPv4 into IPv6, and without the zone of a link-local address: URLs and inet know none.
export const plainAddress = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.)|%.*$/gi, '');
