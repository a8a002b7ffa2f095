import { isDeepStrictEqual } from 'node:util';
import type { getHttpOperationsFromSpec } from '@stoplight/prism-http';
import type { Context } from 'koa';
import { NotFound } from '../errors.ts';
import { prefersProblem, PROBLEM, sendJson } from './json.ts';

const JSON_TYPE = 'application/json';

// Where the links of the examples lead. The mock's lead to itself, so that they can be followed.
const EXAMPLES_ORIGIN = 'https://shop.example.com';

/** An operation of the contract, as Prism reads it. */
export type PrismOperation = Awaited<ReturnType<typeof getHttpOperationsFromSpec>>[number];

/** Which answer of an operation is wanted. */
export type Wish = Partial<Record<'code' | 'example', string>>;

/** An answer that the contract shows; without a type, it has no body. */
interface Shown {
  code: string;
  type: string | undefined;
  example: string | undefined;
  value: unknown;
}

/** What a request deserves by the contract. */
export interface Verdict {
  code: string;
  /** Of the body, with values that do not fit. */
  wrongFields: string[];
}
/** `Prefer: code=401, example=bearer_expired`, or one of the two (RFC 7240). */
export function readWish(ctx: Context): Wish | undefined {
  const wishes = [...ctx.get('Prefer').matchAll(/\b(code|example)="?(\w+)"?/g)];
  return wishes.length > 0
    ? Object.fromEntries(wishes.map(([, name, value]) => [name, value]))
    : undefined;
}

/** The answer that fits a request best. Where none is better than the others, it is the first that is shown. */
export function wishOf(ctx: Context, operation: PrismOperation, verdict: Verdict): Wish {
  const { code, wrongFields } = verdict;
  const shown = shownBy(operation, ctx.get('Accept')).filter((one) => one.code === code);
  const hasTurnedPage = new URLSearchParams(ctx.querystring).has('cursor');
  const best = shown
    .filter(({ type }) => type === shown[0]?.type)
    .find((one) => isAbout(wrongFields, one) || (hasTurnedPage && one.example === 'last_page'));
  return { code, ...(best && { example: best.example }) };
}

function isAbout(fields: string[], { value }: Shown): boolean {
  if (fields.length === 0 || typeof value !== 'object' || value === null) return false;
  // In a problem they are listed.
  const named =
    'errors' in value && Array.isArray(value.errors)
      ? value.errors.map(({ field }) => field)
      : Object.keys(value);
  return isDeepStrictEqual(new Set(named), new Set(fields));
}

/** Throws NotFound, with what there is, where there is nothing of the kind. */
export function choose(ctx: Context, operation: PrismOperation, { code, example }: Wish): Shown {
  const all = shownBy(operation, ctx.get('Accept'));
  const found = all.find(
    (one) => one.code === (code ?? one.code) && one.example === (example ?? one.example),
  );
  if (found) return found;
  const known = [...new Set(all.map((one) => [one.code, one.example].filter(Boolean).join(' ')))];
  throw new NotFound(`The contract shows no such answer. It shows: ${known.join(', ')}.`);
}

/** What a caller who accepts this is given first comes first. */
function shownBy({ responses }: PrismOperation, accept: string): Shown[] {
  const types = prefersProblem(accept) ? [PROBLEM, JSON_TYPE] : [JSON_TYPE];
  return responses.flatMap(({ code, contents = [] }): Shown[] => {
    if (contents.length === 0)
      return [{ code, type: undefined, example: undefined, value: undefined }];
    return types.flatMap((type) => {
      const { examples = [] } = contents.find(({ mediaType }) => mediaType === type) ?? {};
      return examples.map((one) => ({
        code,
        type,
        example: one.key,
        value: 'value' in one ? one.value : undefined,
      }));
    });
  });
}

/** The answer as the service would send it. */
export function send(
  ctx: Context,
  { responses }: PrismOperation,
  { code, type, example, value }: Shown,
): void {
  const { headers = [] } = responses.find((response) => response.code === code) ?? {};
  for (const { name, examples = [] } of headers) {
    const shown = examples.find(({ key }) => key === example) ?? examples[0];
    const isOurs = name === 'Allow' || (name === 'X-Request-Id' && ctx.get(name) !== '');
    if (!isOurs && shown && 'value' in shown) ctx.set(name, String(shown.value));
  }
  ctx.status = Number(code);
  if (type === undefined) return;
  const text = JSON.stringify(value).replaceAll(
    `"${EXAMPLES_ORIGIN}/`,
    `"${ctx.protocol}://${ctx.host}/`,
  );
  sendJson(ctx, ctx.status, JSON.parse(text));
  ctx.set('Content-Type', type);
}
