import type { ValidateFunction } from 'ajv';
import { contractAjv } from './contract-ajv.ts';

/** An answer as it goes out, or as it arrived. */
export interface SentAnswer {
  status: number;
  headers: { get: (name: string) => string | null };
  /** The body; empty where there is none. */
  text: string;
}

export interface ContractCheck {
  /** In what an answer to a request for an operation breaks the contract. Never quotes what the answer says. */
  answer: (operationId: string, method: string, answer: SentAnswer) => string[];
  /** What is wrong with a value under the schema that a pointer into the document names. */
  value: (value: unknown, pointer: string) => string[];
}

interface Ref {
  $ref?: string;
}
interface Header extends Ref {
  required?: boolean;
  schema?: { type?: string } & Ref;
}
interface Response extends Ref {
  headers?: Record<string, Header>;
  content?: Record<string, { schema?: Ref }>;
}
interface DocumentedOperation {
  operationId?: string;
  responses?: Record<string, Response>;
}
interface Document {
  paths: Record<string, Record<string, DocumentedOperation>>;
}

/** A value of the document, and where it stands in it as a JSON pointer. */
interface Located<Value> {
  value: Value;
  pointer: string;
}

interface ResponseCheck {
  headers: { name: string; isRequired: boolean; isInteger: boolean; errors: Check }[];
  /** By media type; undefined where no body is declared. */
  bodies: Map<string, Check> | undefined;
}
type Check = (value: unknown) => string[];

const compiled = new WeakMap<object, ContractCheck>();

/**
 * What a contract says about answers, each schema compiled once: at the start, which is told of one that cannot be, or
 * with `isLazy` at its first use.
 */
export function contractCheck(contract: object, { isLazy = false } = {}): ContractCheck {
  const check = compiled.get(contract) ?? compile(contract, isLazy);
  compiled.set(contract, check);
  return check;
}

function compile(contract: object, isLazy: boolean): ContractCheck {
  // Linted when it was bundled.
  const document = closed(contract) as Document;
  const checks = schemaChecks(document, isLazy);
  const byOperation = new Map<string, Map<number, ResponseCheck>>();
  for (const [template, item] of Object.entries(document.paths))
    for (const [method, { operationId, responses = {} }] of Object.entries(item)) {
      if (operationId === undefined) continue;
      const pointer = `/paths/${pointerPart(template)}/${method}/responses`;
      const entries = Object.entries(responses).map(([status, value]): [number, ResponseCheck] => {
        const response = resolve({ value, pointer: `${pointer}/${status}` }, document);
        return [Number(status), responseCheck(response, document, checks)];
      });
      byOperation.set(operationId, new Map(entries));
    }
  return {
    answer: (operationId, method, answer) => {
      const response = byOperation.get(operationId)?.get(answer.status);
      if (!response) return [`${operationId} does not declare ${answer.status}`];
      const ofHeaders = headerBreaches(response, answer);
      return method === 'HEAD' ? ofHeaders : [...ofHeaders, ...bodyBreaches(response, answer)];
    },
    value: (value, pointer) => checks(pointer)(value),
  };
}

function responseCheck(
  { value: { headers = {}, content }, pointer }: Located<Response>,
  document: Document,
  checks: (pointer: string) => Check,
): ResponseCheck {
  const schema = (value: Ref | undefined, place: string): Check =>
    value ? checks(resolve({ value, pointer: place }, document).pointer) : () => [];
  return {
    headers: Object.entries(headers).map(([name, declared]) => {
      const place = `${pointer}/headers/${pointerPart(name)}`;
      const header = resolve({ value: declared, pointer: place }, document);
      const { required = false, schema: ofHeader } = header.value;
      const errors = schema(ofHeader, `${header.pointer}/schema`);
      return { name, isRequired: required, isInteger: ofHeader?.type === 'integer', errors };
    }),
    bodies:
      content &&
      new Map(
        Object.entries(content).map(([type, { schema: ofBody }]) => [
          type,
          schema(ofBody, `${pointer}/content/${pointerPart(type)}/schema`),
        ]),
      ),
  };
}

function headerBreaches({ headers }: ResponseCheck, answer: SentAnswer): string[] {
  return headers.flatMap(({ name, isRequired, isInteger, errors }) => {
    const text = answer.headers.get(name);
    if (text === null) return isRequired ? [`${name} is missing`] : [];
    return errors(isInteger ? Number(text) : text).map((error) => `${name}: ${error}`);
  });
}

function bodyBreaches({ bodies }: ResponseCheck, { headers, text }: SentAnswer): string[] {
  if (!bodies) return text === '' ? [] : ['a body where none is declared'];
  const type = headers.get('Content-Type');
  const errors = type === null ? undefined : bodies.get(type);
  if (!errors) return [`the content type is ${type}`];
  try {
    return errors(/[/+]json$/.test(type ?? '') ? JSON.parse(text) : text);
  } catch {
    return ['the body is no JSON'];
  }
}

/** Checks by the pointers of their schemas, each compiled once. */
function schemaChecks(document: Document, isLazy: boolean): (pointer: string) => Check {
  const ajv = contractAjv({ strict: false, allErrors: true });
  ajv.addSchema(document, 'contract', false, false);
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (pointer: string): ValidateFunction => {
    const validate = validators.get(pointer) ?? ajv.compile({ $ref: `contract#${pointer}` });
    validators.set(pointer, validate);
    return validate;
  };
  return (pointer) => {
    if (!isLazy) validatorOf(pointer);
    return (value) => {
      const validate = validatorOf(pointer);
      if (validate(value)) return [];
      return (validate.errors ?? []).map((error) => {
        const { additionalProperty: extra } = error.params;
        return `${ajv.errorsText([error])}${extra === undefined ? '' : `: ${extra}`}`;
      });
    };
  };
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

function resolve<Value extends Ref>(
  { value, pointer }: Located<Value>,
  document: object,
): Located<Value> {
  if (value.$ref === undefined) return { value, pointer };
  const target = value.$ref.replace(/^#/, '');
  const found = target
    .split('/')
    .slice(1)
    .reduce<unknown>((node, key) => Object(node)[readPointerPart(key)], document);
  return resolve({ value: found as Value, pointer: target }, document); // of the place's own kind, says the linter
}

/** A name as a part of a JSON pointer in a URI. */
export const pointerPart = (text: string): string =>
  encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
const readPointerPart = (text: string): string =>
  decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~');
