import { contractDocument } from '../../src/contract.ts';
import { contractCheck } from '../../src/http/contract-check.ts';
import type { Answer } from './client.ts';

interface DocumentedOperation {
  operationId: string;
}
type PathItem = Record<string, DocumentedOperation>;

// The service checks its answers itself, and by the same rules; whether it asked the right operation, and what
// came of its answer on the way, is seen from outside alone.
const check = contractCheck(contractDocument());
const { paths } = contractDocument() as { paths: Record<string, PathItem> };
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

/** In what an answer breaks the contract; empty for paths that it does not know. */
export function contractBreaches(method: string, target: string, answer: Answer): string[] {
  const path = target.split('?')[0] ?? '';
  const item = itemAt(path);
  if (!item) return itemAt(`${path}/`) ? expected(308, answer) : [];
  // Its body and status are no part of the contract: a 204 with Allow, or a refusal.
  if (method === 'OPTIONS') return [];
  const operation = operationAt(method, target);
  return operation
    ? check.answer(operation.operationId, method, answer)
    : strangeMethodBreaches(item, method, answer);
}

/** What is wrong with a value under the schema that a pointer into the contract names. */
export const errorsOf = check.value;

function itemAt(path: string): PathItem | undefined {
  return Object.entries(paths).find(([template]) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '([0-9]+|[0-9a-f-]{36})')}$`).test(path),
  )?.[1];
}

/** The operation that a request is for, if it is for one. */
export function operationAt(method: string, target: string): DocumentedOperation | undefined {
  const key = method === 'HEAD' ? 'get' : method.toLowerCase();
  return METHODS.includes(key) ? itemAt(target.split('?')[0] ?? '')?.[key] : undefined;
}

// A method that the path lacks is a 405, or refused before that as any method of the path may be.
function strangeMethodBreaches(item: PathItem, method: string, answer: Answer): string[] {
  if (answer.status === 405) return answer.headers.has('allow') ? [] : ['Allow is missing'];
  const operation = METHODS.map((name) => item[name]).find((found) => found !== undefined);
  if (!operation || answer.status < 400) return expected(405, answer);
  return check.answer(operation.operationId, method, answer);
}

function expected(status: number, answer: Answer): string[] {
  return answer.status === status ? [] : [`${answer.status} where ${status} is due`];
}
