import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { contractDocument } from '../contract.ts';
import { createMock } from '../http/mock.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', short: 'p', default: '4010' },
    host: { type: 'string', short: 'h', default: '127.0.0.1' },
  },
});

const koa = await createMock(contractDocument());
koa.on('error', (error: Error) => console.error(error));
const server = createServer(koa.callback());
server.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
server.listen(Number(values.port), values.host, () => {
  const { address, port, family } = server.address() as AddressInfo; // a TCP socket that listens
  const origin = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  console.log(welcome(origin));
});

const welcome = (origin: string): string => `
  The mock of Latchkey is listening at ${origin}

  It answers from the examples of openapi.yaml. Without a wish, as to a request that is right:

  curl -H 'Content-Type: application/json' -d '{"username": "alice", "password": "correct-horse-battery"}' ${origin}/login/
  curl -H 'Authorization: Bearer any' ${origin}/products/

  With a wish, as you like, whatever the request:

  curl -i -H 'Prefer: code=401' ${origin}/products/
  curl -i -H 'Prefer: example=bearer_expired' ${origin}/products/
`;
