import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { contractDocument } from '../../src/contract.ts';
import type { Answer } from './client.ts';

interface Ref {
  $ref?: string;
}
interface Header extends Ref {
  required?: boolean;
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

const document = contractDocument() as { paths: Paths } & Record<string, unknown>;
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat('decimal', /^-?\d+(\.\d+)?$/);
ajv.addFormat('password', true);
ajv.addKeyword('x-decimal');
ajv.addSchema(document, 'contract');

/** In what an answer breaks the contract; empty for paths and methods that it does not know. */
export function contractBreaches(method: string, target: string, answer: Answer): string[] {
  const found = findOperation(method, target);
  if (!found) return [];
  const { operation, pointer } = found;
  const responsePointer = `${pointer}/responses/${answer.status}`;
  const response = operation.responses[answer.status];
  if (!response) return [`${operation.operationId} does not declare ${answer.status}`];
  const resolved = resolve(response, responsePointer);
  return [
    ...headerBreaches(resolved.value, answer),
    ...(method === 'HEAD' ? [] : bodyBreaches(resolved.value, resolved.pointer, answer)),
  ];
}

function findOperation(
  method: string,
  target: string,
): { operation: DocumentedOperation; pointer: string } | undefined {
  const path = target.split('?')[0] ?? '';
  for (const [template, item] of Object.entries(document.paths)) {
    if (!new RegExp(`^${template.replace(/\{\w+\}/g, '[0-9]+')}$`).test(path)) continue;
    const key = METHODS.find((name) => name === (method === 'HEAD' ? 'get' : method.toLowerCase()));
    const operation = key && item[key];
    if (operation) return { operation, pointer: `/paths/${escape(template)}/${key}` };
  }
  return undefined;
}

function headerBreaches({ headers = {} }: DocumentedResponse, answer: Answer): string[] {
  return Object.entries(headers).flatMap(([name, header]) => {
    const { required } = resolve(header, '').value;
    return required && answer.headers.get(name) === null ? [`${name} is missing`] : [];
  });
}

function bodyBreaches({ content }: DocumentedResponse, pointer: string, answer: Answer): string[] {
  if (!content) return answer.text === '' ? [] : ['a body where none is declared'];
  const type = answer.headers.get('content-type');
  if (type !== 'application/json') return [`the content type is ${type}`];
  const validate = validator(`contract#${pointer}/content/${escape('application/json')}/schema`);
  return validate(answer.body)
    ? []
    : (validate.errors ?? []).map((error) => ajv.errorsText([error]));
}

const validators = new Map<string, ValidateFunction>();

function validator(ref: string): ValidateFunction {
  const known = validators.get(ref) ?? ajv.compile({ $ref: ref });
  validators.set(ref, known);
  return known;
}

function resolve<Value extends Ref>(
  value: Value,
  pointer: string,
): { value: Value; pointer: string } {
  if (value.$ref === undefined) return { value, pointer };
  const target = value.$ref.replace(/^#/, '');
  const found = target
    .split('/')
    .slice(1)
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[unescape(key)], document);
  return { value: found as Value, pointer: target };
}

const escape = (text: string): string =>
  encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
const unescape = (text: string): string =>
  decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~');
