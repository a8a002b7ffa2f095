import { createHash } from 'node:crypto';

/** The strong tag of what is sent as JSON: it differs exactly where that does, whoever changed it and how. */
export function entityTagOf(body: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url')}"`;
}

/** Whether a write may go ahead (RFC 9110, 13.1.1). What is no list of tags is false, so that nothing is overwritten. */
export function satisfiesIfMatch(field: string, current: string): boolean {
  // A weak tag is equal to none under strong comparison.
  return field.trim() === '*' || tagsIn(field).includes(current);
}

/** Whether a reader lacks what is there (RFC 9110, 13.1.2). What is no list of tags is true: it is sent once more. */
export function satisfiesIfNoneMatch(field: string, current: string): boolean {
  return field.trim() !== '*' && !tagsIn(field).map(opaque).includes(opaque(current));
}

const opaque = (tag: string): string => tag.replace(/^W\//, '');

// A quoted tag may hold a comma. Sticky, so that each match begins where the one before it ended.
const MEMBER = /[ \t,]*((?:W\/)?"[!#-~\x80-\xff]*")[ \t]*(?:,|$)/gy;

/** Of a list with empty members, as recipients have to take them (RFC 9110, 5.6.1); none where it is no list. */
function tagsIn(field: string): string[] {
  const members = [...field.matchAll(MEMBER)];
  const read = members.reduce((length, [text]) => length + text.length, 0);
  return /^[ \t,]*$/.test(field.slice(read)) ? members.map(([, tag = '']) => tag) : [];
}
