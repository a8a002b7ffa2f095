import type { Context } from 'koa';
import type { RequestDeps } from '../deps.ts';
import { entityTagOf, satisfiesIfMatch, satisfiesIfNoneMatch } from '../entity-tag.ts';
import { PreconditionFailed } from '../errors.ts';
import { acceptedBy, sendJson } from './json.ts';
import type { Call } from './api.ts';
import type { Operation, Parts } from './operation.ts';

/**
 * RFC 9110, 13.2.1: a precondition is looked at after permissions, and before the body is. What is written later
 * looks once more, in the transaction that writes.
 */
export async function refuseStale(
  { id }: Operation,
  { headers, params }: Pick<Call, 'headers' | 'params'>,
  tags: Parts['tags'],
  deps: RequestDeps,
): Promise<void> {
  const field = headers['If-Match'];
  const findTag = tags[id];
  if (typeof field !== 'string' || !findTag) return;
  if (!satisfiesIfMatch(field, await findTag(params, deps))) throw new PreconditionFailed();
}

/** Sends an answer with its tag, or a 304 to a reader who has it already. */
export function sendTagged(
  ctx: Context,
  { status, body }: { status: number; body: unknown },
  headers: Call['headers'],
): void {
  const tag = entityTagOf(body);
  // Indented, it says the same in other bytes, which is what a weak tag is for.
  ctx.set('ETag', acceptedBy(ctx).indent > 0 ? `W/${tag}` : tag);
  const field = headers['If-None-Match'];
  if (typeof field === 'string' && !satisfiesIfNoneMatch(field, tag)) ctx.status = 304;
  else sendJson(ctx, status, body);
}
