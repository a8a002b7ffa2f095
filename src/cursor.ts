import type { PageUrl } from './contract.ts';
import { NotFound } from './errors.ts';

/**
 * DRF's cursor: rows after `positions[0]`, or before it when `reverse`, less the first `offset` of them.
 * With an `id`, ours: rows after the row with these values of the ordering's fields and this id.
 */
export interface Cursor {
  offset: number;
  reverse: boolean;
  positions: string[];
  id: string | undefined;
}

// DRF counts no further, so that nobody can ask for a scan of the table.
export const OFFSET_CUTOFF = 1000;

export function invalidCursor(): NotFound {
  return new NotFound('Invalid cursor');
}

export function encodeCursor({ offset, reverse, positions, id }: Cursor): string {
  const tokens: [string, string][] = positions.map((position) => ['p', position]);
  if (reverse) tokens.unshift(['r', '1']);
  if (offset !== 0) tokens.unshift(['o', String(offset)]);
  if (id !== undefined) tokens.push(['i', id]);
  return Buffer.from(urlencode(tokens)).toString('base64');
}

export function decodeCursor(text: string): Cursor {
  const bytes = decodeBase64(text);
  if (bytes.some((byte) => byte > 0x7f)) throw invalidCursor();
  const tokens = new URLSearchParams(bytes.toString());
  const offset = integer(tokens.get('o') ?? '0');
  if (offset < 0) throw invalidCursor();
  const id = tokens.get('i') ?? undefined;
  return {
    offset: Math.min(offset, OFFSET_CUTOFF),
    reverse: integer(tokens.get('r') ?? '0') !== 0,
    positions: tokens.getAll('p').slice(0, id === undefined ? 1 : undefined),
    id,
  };
}

function integer(text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw invalidCursor();
  return Number(text);
}

// As lenient as Python's b64decode: other characters are skipped, and it ends where the padding is complete.
function decodeBase64(text: string): Buffer {
  if (!/^\p{ASCII}*$/u.test(text)) throw invalidCursor();
  let data = '';
  let pads = 0;
  for (const char of text) {
    const inQuad = data.length % 4;
    if (/[A-Za-z0-9+/]/.test(char)) {
      data += char;
      pads = 0;
    } else if (char === '=' && inQuad >= 2 && inQuad + ++pads >= 4) {
      return Buffer.from(data, 'base64');
    }
  }
  if (data.length % 4 !== 0) throw invalidCursor();
  return Buffer.from(data, 'base64');
}

/** Python's urlencode: a space is a plus, and only letters, digits and `_.-~` stay as they are. */
export function urlencode(pairs: Iterable<[string, string]>): string {
  let text = '';
  for (const [name, value] of pairs)
    text += `${text === '' ? '' : '&'}${quotePlus(name)}=${quotePlus(value)}`;
  return text;
}

// Most cursors hold nothing that has to be quoted.
const UNQUOTED = /^[\w.~-]*$/;

function quotePlus(text: string): string {
  if (UNQUOTED.test(text)) return text;
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The URL of the page at a cursor, with what else was asked for; null where there is no such page. */
export function pageLink({ origin, path, search }: PageUrl, cursor: Cursor | null): string | null {
  if (!cursor) return null;
  const text = encodeCursor(cursor);
  if (search.size === 0) return `${origin}${path}?cursor=${quotePlus(text)}`;
  const parameters = new URLSearchParams(search);
  parameters.set('cursor', text);
  parameters.sort();
  return `${origin}${path}?${urlencode(parameters)}`;
}
