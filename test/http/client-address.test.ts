import type { IncomingMessage } from 'node:http';
import test from 'ava';
import { clientAddress } from '../../src/http/client-address.ts';
import { networks } from '../../src/setting-parsers.ts';

const of = clientAddress(networks('10.0.0.0/8,::1,fd00::/8'));

// Who connects, what is forwarded, and whom that makes the client.
for (const [peer, forwarded, client] of [
  ['198.51.100.1', undefined, '198.51.100.1'],
  ['198.51.100.1', '192.0.2.7', '198.51.100.1'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '192.0.2.7', '192.0.2.7'],
  ['::ffff:10.0.0.1', '192.0.2.7', '192.0.2.7'],
  ['fd00::5', '2001:db8::7', '2001:db8::7'],
  ['::1', '::ffff:192.0.2.7', '192.0.2.7'],
  // What stands left of the first stranger, the stranger wrote.
  ['10.0.0.1', '203.0.113.9, 192.0.2.7', '192.0.2.7'],
  ['10.0.0.1', '203.0.113.9, 192.0.2.7, 10.0.0.2', '192.0.2.7'],
  ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  // What is no address ends the chain at whoever wrote it.
  ['10.0.0.1', 'unknown', '10.0.0.1'],
  ['10.0.0.1', '', '10.0.0.1'],
  ['10.0.0.1', '192.0.2.7:4711', '10.0.0.1'],
  ['10.0.0.1', 'unknown, 10.0.0.2', '10.0.0.2'],
  ['10.0.0.1', "192.0.2.7' OR 1=1", '10.0.0.1'],
  ['10.0.0.1', '192.0.2.7,'.repeat(200), '10.0.0.1'],
] as const)
  test(`${peer} with ${forwarded?.slice(0, 60)} is ${client}`, (t) => {
    const request = {
      socket: { remoteAddress: peer },
      headers: { 'x-forwarded-for': forwarded },
    } as unknown as IncomingMessage;

    t.is(of(request), client);
  });

test('what is neither address nor network is refused', (t) => {
  t.throws(() => networks('10.0.0.0/33'));
  t.throws(() => networks('proxy.example.com'));
  t.throws(() => networks('10.0.0.0/8,'.repeat(2) + 'x'));
});
