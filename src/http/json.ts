import type { Context } from 'koa';
import { NotAcceptable, NotFound } from '../errors.ts';

/** DRF's content negotiation where JSON is all there is: `?format=` first (404), then Accept (406). */
export function negotiate(ctx: Context): void {
  const format = new URLSearchParams(ctx.querystring).getAll('format').at(-1);
  if (format && format !== 'json') throw new NotFound();
  const accepted = ctx.accepts();
  const isAccepted = accepted.some((type) =>
    ['*/*', 'application/*', 'application/json'].includes(type.toLowerCase()),
  );
  if (!isAccepted) throw new NotAcceptable();
}

/** Sends compact JSON, or indented JSON if `Accept: application/json; indent=N` asks for it (N up to 8). */
export function sendJson(ctx: Context, status: number, body: unknown): void {
  ctx.status = status;
  ctx.set('Content-Type', 'application/json');
  // U+2028 and U+2029 end a line in JavaScript, though not in JSON: DRF escapes them.
  ctx.body = JSON.stringify(body, null, indentOf(ctx.get('Accept')))
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

/** How far JSON is to be indented. */
export function indentOf(accept: string): number {
  const indent = /application\/json\s*;[^,]*\bindent=(\d{1,3})\b/i.exec(accept)?.[1];
  return Math.min(Number(indent ?? 0), 8);
}
