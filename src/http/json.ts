import type { Context } from 'koa';
import { LRUCache } from 'lru-cache';
import { NotAcceptable, NotFound } from '../errors.ts';

export const PROBLEM = 'application/problem+json';

/** What `Accept` asks for. */
interface Accepted {
  /** Whether an answer as JSON is one of its kinds, under whatever name. */
  takesJson: boolean;
  /** Whether a refusal is to be a problem. */
  prefersProblem: boolean;
  /** How far JSON is to be indented. */
  indent: number;
}

// A few libraries write nearly all of these headers.
const readBefore = new LRUCache<string, Accepted>({ max: 64 });

export function acceptedBy(ctx: Context): Accepted {
  // An empty one takes nothing, none at all takes everything.
  const header = ctx.req.headers.accept ?? '*/*';
  let accepted = readBefore.get(header);
  if (!accepted) {
    accepted = readAccept(header, ctx);
    readBefore.set(header, accepted);
  }
  return accepted;
}

function readAccept(header: string, ctx: Context): Accepted {
  return {
    takesJson: ctx.accepts().some((type) => JSON_TYPES.includes(type.toLowerCase())),
    prefersProblem: prefersProblem(header),
    indent: indentOf(header),
  };
}

const JSON_TYPES = ['*/*', 'application/*', 'application/json', PROBLEM];

/**
 * DRF's content negotiation where JSON is all there is: `?format=` first (404), then Accept (406). Whoever names the
 * form of refusals alone takes JSON for the rest: there is no refusing of what has succeeded.
 */
export function negotiate(ctx: Context, search: URLSearchParams): void {
  const format = search.getAll('format').at(-1);
  if (format && format !== 'json') throw new NotFound();
  if (!acceptedBy(ctx).takesJson) throw new NotAcceptable();
}

/**
 * Whether a refusal is to be a problem (RFC 9457): where Accept names it, with at least the weight of JSON. Wildcards
 * mean what they have always meant to clients of DRF.
 */
export function prefersProblem(accept: string): boolean {
  const problem = weightOf([PROBLEM], accept);
  return problem > 0 && problem >= weightOf(['application/json', 'application/*', '*/*'], accept);
}

/** The `q` of the first of some media ranges that Accept names; 0 where it names none. */
function weightOf(ranges: string[], accept: string): number {
  const weights = new Map(
    rangesOf(accept).map(([type, ...parameters]) => [type, Number(valueOf('q', parameters) ?? 1)]),
  );
  return ranges.map((range) => weights.get(range)).find((weight) => weight !== undefined) ?? 0;
}

function indentOf(accept: string): number {
  const indents = rangesOf(accept)
    .filter(([type]) => type === 'application/json')
    .map(([, ...parameters]) => valueOf('indent', parameters) ?? '');
  const indent = indents.find((text) => /^\d{1,3}$/.test(text));
  return Math.min(Number(indent ?? 0), 8);
}

// By splitting: what a pattern looks for in a long header can take time that grows with its square.
function rangesOf(accept: string): string[][] {
  const ranges = accept.toLowerCase().split(',');
  return ranges.map((range) => range.split(';').map((part) => part.trim()));
}

function valueOf(name: string, parameters: string[]): string | undefined {
  return parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
}

export function sendProblem(ctx: Context, problem: { status: number }): void {
  sendJson(ctx, problem.status, problem);
  ctx.set('Content-Type', PROBLEM);
}

/** Sends compact JSON, or indented JSON if `Accept: application/json; indent=N` asks for it (N up to 8). */
export function sendJson(ctx: Context, status: number, body: unknown): void {
  ctx.status = status;
  ctx.set('Content-Type', 'application/json');
  // U+2028 and U+2029 end a line in JavaScript, though not in JSON: DRF escapes them.
  ctx.body = JSON.stringify(body, null, acceptedBy(ctx).indent)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
