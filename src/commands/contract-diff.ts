import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.join(import.meta.dirname, '../..');

type Impact = 'major' | 'minor' | 'patch';
type Version = [major: number, minor: number, patch: number];

interface Change {
  /** A JSON pointer into the contract, with what is referred to in its place. */
  path: string;
  typeName: string;
  kind: 'added' | 'removed' | 'modified';
  impact: Impact;
  verdicts: { message: string }[];
  property?: string;
  revision?: { value: unknown };
}

export interface Report {
  infoVersions: { base: string; revision: string };
  changes: Change[];
}

/** A change that Redocly rates as breaking and that breaks nobody. */
export interface Harmless {
  /** Of the line that tells it. */
  change: RegExp;
  reason: string;
}

/** Emptied by the next release: what nothing meets any more fails. */
const harmless: readonly Harmless[] = [
  {
    change: /`maxLength`( of `\w+`)? was set to '16384'/,
    reason: 'A longer text never fitted into the body (413) or the head (431) of a request.',
  },
  {
    change: /^P(OST|ATCH) \/products\/.*`maxLength` of `description` was set to '262144'/,
    reason: 'A longer one never fitted into the body of a request that writes products (413).',
  },
];

/** What Redocly finds between a released contract and the one that is to be. */
export async function compare(released: string, contract: string): Promise<Report> {
  const redocly = path.join(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
  const options = [
    '--format=json',
    '--fail-on=none',
    `--config=${path.join(ROOT, 'redocly.yaml')}`,
  ];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [redocly, 'diff', released, contract, ...options],
    {
      env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      maxBuffer: Infinity,
    },
  );
  return JSON.parse(stdout);
}

/** Why the contract cannot follow the released one; empty where it can. */
export function problemsOf(
  { infoVersions, changes }: Report,
  changelog: string,
  allowed: readonly Harmless[],
): string[] {
  const [base, revision] = [infoVersions.base, infoVersions.revision].map(versionOf);
  if (!base || !revision) throw new Error('info.version is no semantic version');
  const isHarmless = (change: Change): boolean =>
    allowed.some((entry) => entry.change.test(tell(change)));
  const breaking = changes.filter((change) => change.impact === 'major');
  const harmful = breaking.filter((change) => !isHarmless(change));
  const additions = changes.filter(({ impact }) => impact === 'minor');
  return [
    ...(revision[0] > base[0] ? [] : harmful.map((change) => `breaks clients: ${tell(change)}`)),
    ...(additions.length === 0 || compareVersions(revision, [base[0], base[1] + 1, 0]) >= 0
      ? []
      : [`adds to ${infoVersions.base}, but info.version is ${infoVersions.revision}`]),
    ...unlisted(changes, unreleased(changelog)),
    ...allowed
      .filter(({ change }) => !breaking.some((found) => change.test(tell(found))))
      .map(({ change }) => `is allowed for nothing: ${change.source}`),
  ];
}

/** `POST /products/ responses/409` */
function placeOf({ path: pointer, property }: Change): string {
  const parts = pointer.split('/').slice(1).map(unescape);
  const place = parts[0] === 'paths' ? operationPlace(parts.slice(1)) : parts.join('/');
  return property === undefined ? place : `${place} ${property}`;
}

function operationPlace([template = '', method, ...rest]: string[]): string {
  if (method === undefined) return template;
  return `${method.toUpperCase()} ${template} ${rest.join('/')}`.trimEnd();
}

const unescape = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

function tell(change: Change): string {
  const messages = change.verdicts.map(({ message }) => message);
  return [`${placeOf(change)} ${change.kind}`, ...messages].join(': ');
}

// Many operations may have the same that is new: it is one line of the log.
function unlisted(changes: Change[], log: string): string[] {
  const added = changes
    .filter(({ impact, kind }) => impact === 'minor' && kind === 'added')
    .flatMap((change) =>
      namesOf(change, changes).map((name) => ({ name, place: placeOf(change) })),
    );
  return [...Map.groupBy(added, ({ name }) => name)]
    .filter(([name]) => !log.includes(`\`${name}\``))
    .map(([name, [first, ...others]]) => {
      const more = others.length > 0 ? ` and ${others.length} more` : '';
      return `CHANGELOG.md, [Unreleased] does not name \`${name}\`: ${first?.place}${more}`;
    });
}

// Told with what they belong to, or of no use to a client by themselves.
const NOT_LISTED = ['Example', 'ExamplesMap', 'Link', 'LinksMap', 'Server', 'Tag'];

/** The names by which people know what was added: operationIds, parameters, headers, statuses, properties. */
function namesOf(change: Change, all: Change[]): string[] {
  const { path: pointer, typeName, revision: { value } = { value: undefined } } = change;
  if (NOT_LISTED.includes(typeName)) return [];
  if (typeName === 'PathItem') return textsIn(Object.values(value ?? {}), 'operationId');
  if (typeName === 'Operation') return textsIn([value], 'operationId');
  if (typeName.endsWith('Map')) return Object.keys(value ?? {});
  if (typeName.startsWith('Parameter'))
    return [value].flat().flatMap((parameter) => nameOf(parameter, all));
  return [unescape(pointer.split('/').at(-1) ?? '')];
}

// A shared parameter that is new itself is known by its name, one that was there by that of its place.
function nameOf(parameter: unknown, all: Change[]): string[] {
  const [reference] = textsIn([parameter], '$ref');
  if (reference === undefined) return textsIn([parameter], 'name');
  const shared = all.find((change) => change.path === reference)?.revision?.value;
  return shared ? textsIn([shared], 'name') : [path.posix.basename(reference)];
}

function textsIn(values: unknown[], key: string): string[] {
  return values.flatMap((value) => {
    if (typeof value !== 'object' || value === null) return [];
    const text = Object.entries(value).find(([name]) => name === key)?.[1];
    return typeof text === 'string' ? [text] : [];
  });
}

function unreleased(changelog: string): string {
  return /^## \[Unreleased\]\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog)?.[1] ?? '';
}

function versionOf(text: string): Version | undefined {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function newestRelease(): string {
  const files = globSync('generated/released/*.json', { cwd: ROOT });
  const version = (file: string): Version => versionOf(path.basename(file)) ?? [0, 0, 0];
  const newest = files.toSorted((a, b) => compareVersions(version(a), version(b))).at(-1);
  if (newest === undefined) throw new Error('generated/released/ holds no contract');
  return path.join(ROOT, newest);
}

if (import.meta.main) {
  const released = newestRelease();
  const report = await compare(released, path.join(ROOT, 'openapi.yaml'));
  const changelog = readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8');
  const problems = problemsOf(report, changelog, harmless);
  if (!process.argv.includes('--quiet'))
    for (const change of report.changes) console.log(`${change.impact.padEnd(5)} ${tell(change)}`);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
