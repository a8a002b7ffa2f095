import { contractDocument } from '../../src/contract.ts';

interface Ref {
  $ref?: string;
}
interface Example extends Ref {
  value?: unknown;
}
type Content = Record<string, { examples?: Record<string, Example> }>;
interface Header extends Ref {
  example?: unknown;
  examples?: Record<string, Example>;
}
interface Response extends Ref {
  headers?: Record<string, Header>;
  content?: Content;
}
interface Parameter extends Ref {
  name?: string;
  in?: string;
  example?: unknown;
}
interface Documented {
  operationId: string;
  security: Record<string, unknown>[];
  'x-permissions': string[];
  'x-max-body-bytes'?: number;
  parameters?: Parameter[];
  requestBody?: Ref & { content?: Content };
  responses: Record<string, Response>;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

export interface RequestExample {
  type: string;
  name: string;
  value: unknown;
}

/** An operation, with what a test needs to know to call it. */
export interface ExampleOperation {
  id: string;
  method: string;
  /** With the parameters' examples in it. */
  path: string;
  /** The examples of the parameters behind the question mark. */
  query: Record<string, string>;
  /** The examples of the parameters in headers. */
  headers: Record<string, string>;
  /** What the path knows, in the order of `Allow`. */
  allow: string;
  permissions: string[];
  isPublic: boolean;
  maxBodyBytes: number;
  requests: RequestExample[];
}

/** What the contract promises of an answer. */
export interface AnswerExample {
  operation: ExampleOperation;
  status: number;
  /** Undefined where the answer has no body. */
  type: string | undefined;
  /** The status, where there is no body and so no example. */
  name: string;
  value: unknown;
  /** By name in lower case, as examples. */
  headers: Record<string, string>;
}

const document = contractDocument() as { paths: Record<string, Record<string, Documented>> };

/** Every answer that the contract shows: each example of each answer of each operation, and the answers without a body. */
export const answerExamples: AnswerExample[] = Object.entries(document.paths).flatMap(
  ([template, item]) => {
    const allow = allowOf(Object.keys(item));
    return METHODS.flatMap((method) => {
      const documented = item[method];
      return documented
        ? answersOf(documented, toOperation(documented, template, method, allow))
        : [];
    });
  },
);

export const exampleOperations: ExampleOperation[] = [
  ...new Set(answerExamples.map(({ operation }) => operation)),
];

/** The value of an example, for what is to stay in step with it. */
export function exampleValue(operationId: string, exampleName: string): unknown {
  const found = answerExamples.find(
    ({ operation, name }) => operation.id === operationId && name === exampleName,
  );
  if (!found) throw new Error(`${operationId} shows no ${exampleName}`);
  return found.value;
}

function toOperation(
  documented: Documented,
  template: string,
  method: string,
  allow: string,
): ExampleOperation {
  const parameters = (documented.parameters ?? []).map(resolve);
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    return String(parameters.find((one) => one.in === 'path' && one.name === name)?.example);
  });
  return {
    id: documented.operationId,
    method: method.toUpperCase(),
    path,
    query: examplesIn('query', parameters),
    headers: examplesIn('header', parameters),
    allow,
    permissions: documented['x-permissions'],
    isPublic: documented.security.every((one) => Object.keys(one).length === 0),
    maxBodyBytes: documented['x-max-body-bytes'] ?? 16_384,
    requests: namedExamples(resolve(documented.requestBody ?? {}).content),
  };
}

function examplesIn(place: string, parameters: Parameter[]): Record<string, string> {
  const found = parameters.filter((one) => one.in === place);
  return Object.fromEntries(found.map(({ name = '', example }) => [name, String(example)]));
}

function answersOf({ responses }: Documented, operation: ExampleOperation): AnswerExample[] {
  return Object.entries(responses).flatMap(([status, response]): AnswerExample[] => {
    const { headers = {}, content } = resolve(response);
    const answer = { operation, status: Number(status) };
    const shown = content
      ? namedExamples(content)
      : [{ type: undefined, name: status, value: undefined }];
    return shown.map((example) => ({
      ...answer,
      ...example,
      headers: { ...headerExamples(headers, example.name), allow: operation.allow },
    }));
  });
}

/** A header with several examples shows the one that is named as that of the body, or else the first. */
function headerExamples(headers: Record<string, Header>, name: string): Record<string, string> {
  const shown = Object.entries(headers).map(([header, declared]) => {
    const { example, examples = {} } = resolve(declared);
    const { value } = examples[name] ?? Object.values(examples)[0] ?? { value: example };
    return [header.toLowerCase(), String(value)];
  });
  return Object.fromEntries(shown);
}

function namedExamples(content: Content = {}): RequestExample[] {
  return Object.entries(content).flatMap(([type, { examples = {} }]) =>
    Object.entries(examples).map(([name, example]) => ({
      type,
      name,
      value: resolve(example).value,
    })),
  );
}

function allowOf(keys: string[]): string {
  const known = keys.filter((key) => METHODS.includes(key)).map((key) => key.toUpperCase());
  const order = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((name) => known.includes(name));
  return [...order, ...(known.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function resolve<Value extends Ref>(value: Value): Value {
  if (value.$ref === undefined) return value;
  const keys = value.$ref.split('/').slice(1);
  const found = keys.reduce<unknown>(
    (node, key) => (node as Record<string, unknown>)[key],
    document,
  );
  return resolve(found as Value);
}
