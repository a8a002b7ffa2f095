import http from 'node:http';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Parsed JSON. */
  body: Record<string, unknown>;
}

/** An answer as it came. */
export interface RawAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Names and values in turn, as they were written. */
  rawHeaders: string[];
  text: string;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'DELETE';
  json?: object;
  /** An access token. */
  bearer?: string;
  headers?: Record<string, string>;
  /** Told when the request has been handed to the system. */
  onSent?: () => void;
}

const TIMEOUT_MS = 30_000;

// As many connections as there are requests at a time, all kept.
const agent = new http.Agent({ keepAlive: true });

/** Rejects where no whole answer came, as for a connection that broke. */
export async function send(
  origin: string,
  path: string,
  options: RequestOptions = {},
): Promise<Answer> {
  const { status, headers, text } = await exchange(origin, path, options);
  return { status, headers, body: JSON.parse(text) };
}

/** The same for an answer of whatever kind. */
export function exchange(
  origin: string,
  path: string,
  { method = 'GET', json, bearer, headers = {}, onSent }: RequestOptions = {},
): Promise<RawAnswer> {
  const body = json && JSON.stringify(json);
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        hostname,
        port,
        path,
        method,
        agent,
        timeout: TIMEOUT_MS,
        headers: {
          ...(body !== undefined && {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(body),
          }),
          ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headers: received, rawHeaders } = response;
          resolve({ status, headers: received, rawHeaders, text });
        });
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    if (onSent) request.on('finish', onSent);
    request.end(body);
  });
}

export function refresh(
  origin: string,
  token: string,
  options: RequestOptions = {},
): Promise<Answer> {
  return send(origin, '/refresh_token/', { method: 'POST', json: { refresh: token }, ...options });
}

/** Closes the connections that are kept. */
export const disconnect = (): void => agent.destroy();
