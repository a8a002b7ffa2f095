import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { contractDocument } from '../src/contract.ts';
import { answerExamples, exampleOperations } from './support/examples.ts';

// The examples of the contract tell one story: whoever reads, mocks or tries it meets the same people and things.

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | false;
  examples?: unknown[];
  enum?: unknown[];
}
interface Shown {
  $ref?: string;
  name?: string;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface Contract {
  paths: Record<string, Record<string, { parameters?: Shown[] }>>;
  components: {
    schemas: Record<string, Schema>;
    headers: Record<string, Shown>;
    parameters: Record<string, Shown>;
  };
}

const { paths, components } = contractDocument() as Contract;

interface Leaf {
  place: string;
  name: string;
  schema: Schema;
}

/** Everything in a schema that has a value of its own, with its place. */
function leavesOf(schema: Schema, place: string): Leaf[] {
  const { properties = {}, items, additionalProperties } = schema;
  const parts: [string, Schema][] = [
    ...Object.entries(properties),
    ...(items ? [['items', items] as [string, Schema]] : []),
    ...(additionalProperties ? [['others', additionalProperties] as [string, Schema]] : []),
  ];
  return parts
    .filter(([, part]) => part.$ref === undefined)
    .flatMap(([name, part]) => [
      ...(part.items ? [] : [{ place: `${place}.${name}`, name, schema: part }]),
      ...leavesOf(part, `${place}.${name}`),
    ]);
}

const leaves = Object.entries(components.schemas).flatMap(([name, schema]) =>
  leavesOf(schema, name),
);
const parameters = [
  ...Object.entries(paths).flatMap(([template, item]) =>
    Object.values(item).flatMap(({ parameters: own = [] }) =>
      own
        .filter(({ $ref }) => $ref === undefined)
        .map((one) => [`${template} ${one.name}`, one] as const),
    ),
  ),
  ...Object.entries(components.parameters),
];
const headers = Object.entries(components.headers);

test('every property, parameter and header has an example, so that no mock has to invent one', (t) => {
  const bare = [
    ...leaves
      .filter(({ schema }) => !schema.examples?.length && !schema.enum?.length)
      .map(({ place, schema }) => [place, schema] as const),
    ...[...parameters, ...headers].filter(
      ([, { example, examples }]) => example === undefined && !examples,
    ),
  ];

  t.deepEqual(
    bare.map(([place]) => place),
    [],
  );
  t.true(leaves.length > 80 && parameters.length > 15 && headers.length > 8);
});

/** All that is shown as a value, with the name that it has. */
function namedValues(value: unknown, name: string): [name: string, value: unknown][] {
  if (Array.isArray(value)) return value.flatMap((entry) => namedValues(entry, name));
  if (typeof value !== 'object' || value === null) return [[name, value]];
  return Object.entries(value).flatMap(([key, member]) => namedValues(member, key));
}

const bodies = [
  ...answerExamples.map(({ value }) => value),
  ...exampleOperations.flatMap(({ requests }) => requests.map(({ value }) => value)),
].flatMap((value) => namedValues(value, ''));

const PLACEHOLDER =
  /^(string|text|value|foo|bar|baz|qux|lorem.*|example|todo|x+|abc|123|user\d*)$/i;

test('no example is a placeholder', (t) => {
  const shown = [
    ...bodies,
    ...leaves.flatMap(({ name, schema: { examples = [] } }) =>
      examples.flatMap((value) => namedValues(value, name)),
    ),
    ...[...parameters, ...headers].map(([name, { example }]) => [name, example] as const),
  ];

  const placeholders = shown.filter(
    ([name, value]) =>
      PLACEHOLDER.test(String(value)) ||
      value === name ||
      (/^(id|owner|user_id|page_size)$/.test(name) && Number(value) <= 0),
  );

  t.deepEqual(placeholders, []);
  t.true(shown.length > 500);
});

test('what a property has as its example, a body shows', (t) => {
  const strangers = leaves
    .filter(({ name }) => bodies.some(([shown]) => shown === name))
    .filter(({ name, schema: { examples = [] } }) =>
      examples.some(
        (example) => !bodies.some(([shown, value]) => shown === name && value === example),
      ),
    );

  t.deepEqual(
    strangers.map(({ place, schema }) => [place, schema.examples]),
    [],
  );
});

test('every token in the contract is one that an answer has given', (t) => {
  const text = readFileSync(path.join(import.meta.dirname, '../openapi.yaml'), 'utf8');
  const written = new Set(text.match(/\beyJ[\w-]+\.[\w-]+\.[\w-]+|\b[0-9a-f]{40}\b/g));
  const given = new Set(
    answerExamples.flatMap(({ value }) => namedValues(value, '').map(([, token]) => token)),
  );

  t.deepEqual(
    [...written].filter((token) => !given.has(token)),
    [],
  );
  t.is(written.size, 8);
});
