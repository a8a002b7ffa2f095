import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type Koa from 'koa';

/** A server for the app that cuts slow and greedy clients before they cost anybody else; it does not listen yet. */
export function createHttpServer(app: Koa): Server {
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    app.callback(),
  );
  server.maxRequestsPerSocket = 1_000;
  return server;
}
