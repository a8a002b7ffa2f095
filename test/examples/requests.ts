import type { TestApp } from '../support/app.ts';
import type { Answer } from '../support/client.ts';
import { answerExamples } from '../support/examples.ts';
import type { ExampleOperation, RequestExample } from '../support/examples.ts';
import { ACCESS, CAROLS } from './story.ts';

/** A request that an operation takes, or what became of it. */
export interface Sent {
  operation: ExampleOperation;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string | string[]>;
  /** As JSON; undefined where no body goes out, or other bytes do. */
  json?: unknown;
  raw?: string;
}

const REQUEST_ID = answerExamples[0]?.headers['x-request-id'] ?? '';

/**
 * As the contract shows it, sent by whom it is for: Alice, or Carol where only staff may. It bears the name that the
 * answers of the contract repeat.
 */
export function validRequest(operation: ExampleOperation): Sent {
  const { path, permissions, requests } = operation;
  const isForStaff = permissions.some((name) => name.startsWith('IsAdminUser'));
  const Authorization = isForStaff ? `Token ${CAROLS}` : `Bearer ${ACCESS}`;
  const { 'If-None-Match': _, ...conditions } = operation.headers;
  const headers = { Authorization, 'X-Request-Id': REQUEST_ID, ...conditions };
  return { operation, path, query: {}, headers, json: requests[0]?.value };
}

/** The request with the example as its body, in the media type of the example. */
export async function asType({ type, value }: RequestExample, sent: Sent): Promise<Sent> {
  if (type === 'application/json') return { ...sent, json: value };
  const body = type === 'multipart/form-data' ? new FormData() : new URLSearchParams();
  for (const [name, field] of Object.entries(value as object)) body.append(name, String(field));
  const request = new Request('http://form', { method: 'POST', body });
  const headers = { ...sent.headers, 'Content-Type': request.headers.get('content-type') ?? '' };
  return { ...sent, json: undefined, raw: await request.text(), headers };
}

export function send(
  { operation, path, query, ...options }: Sent,
  { client }: TestApp,
): Promise<Answer> {
  const search = String(new URLSearchParams(query));
  return client.request(operation.method, search ? `${path}?${search}` : path, options);
}
