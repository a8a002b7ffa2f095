import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { contractDocument } from '../../src/contract.ts';
import type { Answer } from './client.ts';

type Node = Record<string, unknown>;

interface Ref {
  $ref?: string;
}
interface Header extends Ref {
  required?: boolean;
  schema?: { type?: string };
}
interface DocumentedResponse extends Ref {
  headers?: Record<string, Header>;
  content?: Record<string, unknown>;
}
interface DocumentedOperation {
  operationId: string;
  responses: Record<string, DocumentedResponse>;
}
type Paths = Record<string, Record<string, DocumentedOperation>>;

interface Located<Value> {
  value: Value;
  /** Where it stands in the document, as a JSON pointer. */
  pointer: string;
}

const document = closed(contractDocument()) as { paths: Paths } & Node;
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat('decimal', /^-?\d+(\.\d+)?$/);
ajv.addFormat('password', true);
ajv.addKeyword('x-decimal');
ajv.addSchema(document, 'contract');

/** In what an answer breaks the contract; empty for paths that it does not know. */
export function contractBreaches(method: string, target: string, answer: Answer): string[] {
  const path = target.split('?')[0] ?? '';
  const item = itemAt(path);
  if (!item) return itemAt(`${path}/`) ? expected(308, answer) : [];
  // Its body and status are no part of the contract: a 204 with Allow, or a refusal.
  if (method === 'OPTIONS') return [];
  const key = method === 'HEAD' ? 'get' : method.toLowerCase();
  if (item.value[key] && METHODS.includes(key)) {
    const operation = { value: item.value[key], pointer: `${item.pointer}/${key}` };
    return operationBreaches(operation, method, answer);
  }
  return strangeMethodBreaches(item, method, answer);
}

function itemAt(path: string): Located<Record<string, DocumentedOperation>> | undefined {
  const known = Object.entries(document.paths).find(([template]) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '([0-9]+|[0-9a-f-]{36})')}$`).test(path),
  );
  return known && { value: known[1], pointer: `/paths/${pointerPart(known[0])}` };
}

// A method that the path lacks is a 405, or refused before that as any method of the path may be.
function strangeMethodBreaches(
  { value, pointer }: Located<Record<string, DocumentedOperation>>,
  method: string,
  answer: Answer,
): string[] {
  if (answer.status === 405) return answer.headers.has('allow') ? [] : ['Allow is missing'];
  const key = METHODS.find((name) => value[name]);
  const operation = key && value[key];
  if (!operation || answer.status < 400) return expected(405, answer);
  return operationBreaches({ value: operation, pointer: `${pointer}/${key}` }, method, answer);
}

function expected(status: number, answer: Answer): string[] {
  return answer.status === status ? [] : [`${answer.status} where ${status} is due`];
}

function operationBreaches(
  { value: operation, pointer }: Located<DocumentedOperation>,
  method: string,
  answer: Answer,
): string[] {
  const response = operation.responses[answer.status];
  if (!response) return [`${operation.operationId} does not declare ${answer.status}`];
  const resolved = resolve(response, `${pointer}/responses/${answer.status}`);
  return [
    ...headerBreaches(resolved, answer),
    ...(method === 'HEAD' ? [] : bodyBreaches(resolved, answer)),
  ];
}

function headerBreaches(
  { value: { headers = {} }, pointer }: Located<DocumentedResponse>,
  answer: Answer,
): string[] {
  return Object.entries(headers).flatMap(([name, declared]) => {
    const header = resolve(declared, `${pointer}/headers/${pointerPart(name)}`);
    const text = answer.headers.get(name);
    if (text === null) return header.value.required ? [`${name} is missing`] : [];
    const value = header.value.schema?.type === 'integer' ? Number(text) : text;
    return errorsOf(value, `${header.pointer}/schema`).map((error) => `${name}: ${error}`);
  });
}

function bodyBreaches(
  { value: { content }, pointer }: Located<DocumentedResponse>,
  answer: Answer,
): string[] {
  if (!content) return answer.text === '' ? [] : ['a body where none is declared'];
  const type = answer.headers.get('content-type');
  if (type === null || !content[type]) return [`the content type is ${type}`];
  return errorsOf(answer.body, `${pointer}/content/${pointerPart(type)}/schema`);
}

const validators = new Map<string, ValidateFunction>();

/** What is wrong with a value under the schema that a pointer into the contract names. */
export function errorsOf(value: unknown, pointer: string): string[] {
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: `contract#${pointer}` });
  validators.set(pointer, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => ajv.errorsText([error]));
}

// JSON Schema takes any member that a schema does not name. Here each answer holds what is declared, and no more.
function closed(node: unknown, key = ''): unknown {
  if (typeof node !== 'object' || node === null || key === 'value') return node;
  if (Array.isArray(node)) return node.map((item) => closed(item));
  const copy = Object.fromEntries(
    Object.entries(node).map(([name, child]) => [name, closed(child, name)]),
  );
  const isOpen = [copy.type].flat().includes('object') && copy.additionalProperties === undefined;
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}

function resolve<Value extends Ref>(value: Value, pointer: string): Located<Value> {
  if (value.$ref === undefined) return { value, pointer };
  const target = value.$ref.replace(/^#/, '');
  const found = target
    .split('/')
    .slice(1)
    .reduce<unknown>((node, key) => (node as Node)[readPointerPart(key)], document);
  return { value: found as Value, pointer: target };
}

/** A name as a part of a JSON pointer in a URI. */
export const pointerPart = (text: string): string =>
  encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
const readPointerPart = (text: string): string =>
  decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~');
