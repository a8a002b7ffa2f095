import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import openapiTS, { astToString } from 'openapi-typescript';
import { withCodeSamples } from './code-samples.ts';
import type { Json, JsonObject } from './sample-languages.ts';

const ROOT = join(import.meta.dirname, '../..');
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data'];
const SAMPLES = ['example', 'examples', 'default', 'enum'];

function bundle(): JsonObject {
  const redocly = join(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
  const run = spawnSync(process.execPath, [redocly, 'bundle', 'openapi.yaml', '--ext=json'], {
    cwd: ROOT,
    env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  if (run.status === 0) return JSON.parse(run.stdout);
  console.error(run.stderr);
  process.exit(1);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function operationsOf(document: JsonObject): { name: string; operation: JsonObject }[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = isObject(item) ? item[method] : undefined;
      return isObject(operation) ? [{ name: `${method.toUpperCase()} ${path}`, operation }] : [];
    }),
  );
}

function findGaps(document: JsonObject): string[] {
  return operationsOf(document).flatMap(({ name, operation }) =>
    ['operationId', 'security', 'x-permissions']
      .filter((key) => operation[key] === undefined)
      .map((key) => `${name} has no ${key}`),
  );
}

async function toTypes(document: JsonObject): Promise<string> {
  const header = '// Generated from openapi.yaml by `npm run generate`. Do not edit.\n\n';
  const types = astToString(await openapiTS(JSON.stringify(document)));
  const authenticated = operationsOf(document)
    .filter(({ operation }) => [operation['x-permissions']].flat().includes('IsAuthenticated'))
    .map(({ operation }) => `\n  | '${operation.operationId}'`);
  return `${header}${types}\nexport type AuthenticatedOperationId =${authenticated.join('') || ' never'};\n`;
}

function toOpenApi30({ webhooks, jsonSchemaDialect, ...document }: JsonObject): JsonObject {
  const info = { ...(isObject(document.info) && document.info) };
  const license = { ...(isObject(info.license) && info.license) };
  delete info.summary;
  delete license.identifier;
  const components = { ...(isObject(document.components) && document.components) };
  delete components.links;
  const older = { ...document, components, openapi: '3.0.3', info: { ...info, license } };
  return downgradeObject(older);
}

function downgrade(node: Json): Json {
  if (Array.isArray(node)) return node.map(downgrade);
  return isObject(node) ? downgradeObject(node) : node;
}

// OpenAPI 3.0 has no type arrays, no `examples` in schemas, and booleans for exclusive bounds. What generators need not
// know, and some fail at, is left out: links that send a body of several fields, and forms beside the same body in JSON.
function downgradeObject(node: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === 'links' && node.description !== undefined) continue;
    if (FORMS.includes(key) && node['application/json'] !== undefined) continue;
    // Some take it for a number, and send one.
    if (key === 'format' && value === 'decimal') continue;
    if (key === 'examples' && Array.isArray(value)) result.example = value[0] ?? null;
    else if (/^exclusiveM(in|ax)imum$/.test(key) && typeof value === 'number') {
      result[key] = true;
      result[key.slice('exclusive'.length).toLowerCase()] = value;
    } else result[key] = SAMPLES.includes(key) ? value : downgrade(value);
  }
  return Array.isArray(result.type) ? withoutTypeArray(result, result.type) : result;
}

function withoutTypeArray({ type, ...schema }: JsonObject, types: Json[]): JsonObject {
  const names = types.map(String).filter((name) => name !== 'null');
  const nullable = names.length < types.length && { nullable: true };
  if (names.length === 1) return { type: names.join(), ...schema, ...nullable };
  // The Java that openapi-generator makes of a choice with a list in it does not compile: here it may be anything.
  const { properties, required, additionalProperties, items, ...common } = schema;
  return { ...common, ...nullable };
}

const read = (name: string) =>
  existsSync(join(ROOT, name)) ? readFileSync(join(ROOT, name), 'utf8') : undefined;

async function generate({ check }: { check: boolean }): Promise<string[]> {
  const document = bundle();
  const gaps = findGaps(document);
  if (gaps.length > 0) return gaps;
  const shown = withCodeSamples(document);
  const files = {
    'generated/openapi.ts': await toTypes(document),
    'generated/openapi.json': `${JSON.stringify(shown, null, 2)}\n`,
    'generated/openapi-3.0.json': `${JSON.stringify(toOpenApi30(shown), null, 2)}\n`,
  };
  const stale = Object.entries(files).filter(([name, text]) => read(name) !== text);
  if (check) return stale.map(([name]) => `${name} is stale: run \`npm run generate\``);

  mkdirSync(join(ROOT, 'generated'), { recursive: true });
  for (const [name, text] of stale) writeFileSync(join(ROOT, name), text);
  return [];
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
for (const problem of await generate(values)) {
  console.error(problem);
  process.exitCode = 1;
}
