import { randomUUID } from 'node:crypto';
import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import type { Logger } from 'pino';

// To import it would look at each of its members, and one of them loads all of undici: a tenth of the start.
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');

/** A server for the app that cuts slow and greedy clients before they cost anybody else; it does not listen yet. */
export function createHttpServer(app: Koa, log: Logger): Server {
  const handle = app.callback();
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 200,
      maxHeaderSize: 16_384,
      requireHostHeader: false,
    },
    (request, response) => {
      const isNameless = request.httpVersion === '1.1' && request.headers.host === undefined;
      if (isNameless) refuse(response, 400, log);
      else handle(request, response);
    },
  );
  server.maxRequestsPerSocket = 1_000;
  // Who reads nothing of an answer for so long is cut as well; an answer takes no such time to make.
  server.timeout = 10_000;
  server.on('checkExpectation', (_request, response) => refuse(response, 417, log));
  server.on('clientError', (error, socket) => refuseUnparsed(error, socket, log));
  return server;
}

// What no middleware sees is refused here, since Node's own refusals have neither a body nor a name.
interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: string;
}

function refusalOf(status: number, log: Logger): Refusal {
  const requestId = randomUUID();
  const detail = status === 400 ? 'Malformed request.' : `${STATUS_CODES[status]}.`;
  const body = JSON.stringify({ detail });
  log.info({ requestId, status }, 'request refused unread');
  const headers = {
    'X-Request-Id': requestId,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    Connection: 'close',
  };
  return { status, headers, body };
}

function refuse(response: ServerResponse, status: number, log: Logger): void {
  const { headers, body } = refusalOf(status, log);
  response.writeHead(status, headers).end(body);
}

// The statuses are Node's.
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function refuseUnparsed(error: NodeJS.ErrnoException, socket: Duplex, log: Logger): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, headers, body } = refusalOf(STATUSES[error.code ?? ''] ?? 400, log);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  // An answer to an earlier request was written as a whole, so this one cannot come in its midst.
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'), () =>
    socket.destroy(),
  );
}
