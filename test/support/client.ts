import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { registerCompletionHandler } from 'ava';
import type { ExecutionContext } from 'ava';
import { contractBreaches } from './contract.ts';
import { answerSeen } from './coverage.ts';

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON; undefined where there is none. */
  body: unknown;
  text: string;
}

export interface RequestOptions {
  authorization?: string;
  /** A list sends the header several times. */
  headers?: Record<string, string | string[]>;
  json?: unknown;
  form?: Record<string, string>;
  /** Sent as it is, with the content type in `headers`. */
  raw?: string | Buffer;
}

type Call = (path: string, options?: RequestOptions) => Promise<Answer>;

export interface Client {
  request: (method: string, path: string, options?: RequestOptions) => Promise<Answer>;
  get: Call;
  post: Call;
  put: Call;
  patch: Call;
  delete: Call;
}

// Where a run of the whole suite gathers what its files have seen; unset where one is run by hand.
const { CONTRACT_COVERAGE_DIR } = process.env;
const seen = new Set<string>();
if (CONTRACT_COVERAGE_DIR !== undefined)
  registerCompletionHandler(() => {
    writeFileSync(join(CONTRACT_COVERAGE_DIR, randomUUID()), [...seen].join('\n'));
  });

/** Sends what it is told, and fails the test when an answer breaks the contract. */
export function createClient(t: ExecutionContext, base: string): Client {
  const request: Client['request'] = async (method, path, options = {}) => {
    const answer = await send(base, method, path, options);
    t.deepEqual(
      contractBreaches(method, path, answer),
      [],
      `${method} ${path} breaks the contract`,
    );
    seen.add(answerSeen(method, path, answer) ?? '');
    return answer;
  };
  const call =
    (method: string): Call =>
    (path, options) =>
      request(method, path, options);
  return {
    request,
    get: call('GET'),
    post: call('POST'),
    put: call('PUT'),
    patch: call('PATCH'),
    delete: call('DELETE'),
  };
}

async function send(
  base: string,
  method: string,
  path: string,
  { authorization, headers = {}, json, form, raw }: RequestOptions,
): Promise<Answer> {
  const [body, type] = encode(json, form, raw);
  const isChunked = Object.hasOwn(headers, 'Transfer-Encoding');
  const url = new URL(base);
  const sent: Record<string, string | string[]> = {
    ...(type && { 'Content-Type': type }),
    ...(authorization !== undefined && { Authorization: authorization }),
    // Node frames no body of its own accord where a method rarely has one.
    ...(body !== undefined && !isChunked && { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const options = {
      host: url.hostname,
      port: url.port,
      method,
      path,
      headers: sent,
      agent: false,
    };
    const request = http.request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(read(response, Buffer.concat(chunks).toString())));
    });
    request.on('error', reject);
    // Node sends a text together with the headers, and these then in UTF-8 as well.
    request.end(body === undefined ? undefined : Buffer.from(body));
  });
}

function encode(
  json: unknown,
  form: Record<string, string> | undefined,
  raw: string | Buffer | undefined,
): [string | Buffer | undefined, string | undefined] {
  if (json !== undefined) return [JSON.stringify(json), 'application/json'];
  if (form) return [new URLSearchParams(form).toString(), 'application/x-www-form-urlencoded'];
  return [raw, undefined];
}

function read(response: http.IncomingMessage, text: string): Answer {
  const headers = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const isJson = /^application\/(problem\+)?json$/.test(headers.get('content-type') ?? '');
  return {
    status: response.statusCode ?? 0,
    headers,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
    text,
  };
}
