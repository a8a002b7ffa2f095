import { toCurl, toGo, toPython, toTypeScript } from './sample-languages.ts';
import type { Json, JsonObject, SampleRequest } from './sample-languages.ts';

/** Where `npm start` listens; the page puts its own origin in this place. */
export const SAMPLE_ORIGIN = 'http://127.0.0.1:8000';

/** What stands for credentials; the page puts those in its place that it was given. */
export const SAMPLE_CREDENTIALS = 'Token YOUR_TOKEN';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

const LANGUAGES: [lang: string, label: string, write: (request: SampleRequest) => string][] = [
  ['shell', 'curl', toCurl],
  ['typescript', 'TypeScript', toTypeScript],
  ['python', 'Python', toPython],
  ['go', 'Go', toGo],
];

/** The document with `x-codeSamples` in each operation: its example request in the languages above. */
export function withCodeSamples(document: JsonObject): JsonObject {
  const paths = mapValues(objectOf(document.paths), (item, path) =>
    mapValues(objectOf(item), (operation, method) =>
      METHODS.includes(method)
        ? {
            ...objectOf(operation),
            'x-codeSamples': samplesOf(requestOf(document, path, method, objectOf(operation))),
          }
        : operation,
    ),
  );
  return { ...document, paths };
}

function samplesOf(request: SampleRequest): JsonObject[] {
  return LANGUAGES.map(([lang, label, write]) => ({
    lang,
    label,
    source: write(request).trimEnd(),
  }));
}

function requestOf(
  document: JsonObject,
  path: string,
  method: string,
  operation: JsonObject,
): SampleRequest {
  const content = objectOf(resolve(document, operation.requestBody).content);
  const media = objectOf(content['application/json']);
  const body = operation.requestBody === undefined ? undefined : bodyOf(document, media);
  const [success] = Object.keys(objectOf(operation.responses)).filter((status) =>
    /^2/.test(status),
  );
  const answer = resolve(document, objectOf(operation.responses)[success ?? '']);
  return {
    method: method.toUpperCase(),
    url: `${SAMPLE_ORIGIN}${targetOf(document, path, operation)}`,
    headers: {
      ...(needsCredentials(operation) && { Authorization: SAMPLE_CREDENTIALS }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    body,
    isAnswered: answer.content !== undefined,
  };
}

// What is optional is left out: filled with its example, each filter of a list would empty it.
function targetOf(document: JsonObject, path: string, operation: JsonObject): string {
  return [operation.parameters ?? []].flat().reduce<string>((target, reference) => {
    const { in: place, name, example } = resolve(document, reference);
    if (place !== 'path') return target;
    return target.replace(`{${name}}`, encodeURIComponent(String(example)));
  }, path);
}

function needsCredentials({ security }: JsonObject): boolean {
  const ways = [security ?? []].flat().map(objectOf);
  return ways.length > 0 && ways.every((way) => Object.keys(way).length > 0);
}

function bodyOf(document: JsonObject, media: JsonObject): JsonObject {
  const example = exampleOf(document, media);
  return mapValues(example, (value, name) => (isToken(value) ? placeholderOf(name) : value));
}

// Those of the examples have long expired.
const isToken = (value: Json): boolean => /^(eyJ.*\..*\..*|[0-9a-f]{40})$/.test(String(value));

const placeholderOf = (name: string): string =>
  name === 'refresh' ? 'YOUR_REFRESH_TOKEN' : 'YOUR_TOKEN';

// The first example of the body; where there is none, that of each field that must be sent.
function exampleOf(document: JsonObject, { examples, schema }: JsonObject): JsonObject {
  const [first] = Object.values(objectOf(examples));
  if (first !== undefined) return objectOf(resolve(document, first).value);
  const { properties, required } = resolve(document, schema);
  const names = [required ?? []].flat().map(String);
  return Object.fromEntries(
    names.map((name) => {
      const { examples: [example] = [] } = resolve(document, objectOf(properties)[name]) as {
        examples?: Json[]; // as the linted contract has it
      };
      return [name, example ?? null];
    }),
  );
}

function resolve(document: JsonObject, part: Json | undefined): JsonObject {
  const { $ref: reference, ...rest } = objectOf(part);
  if (typeof reference !== 'string') return rest;
  const keys = reference.split('/').slice(1);
  return resolve(
    document,
    keys.reduce<Json | undefined>((node, key) => objectOf(node)[key], document),
  );
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function mapValues(object: JsonObject, map: (value: Json, key: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));
}
