/** What Python's `str.isspace` says, for a class of a RegExp: unlike `\s` with 1C to 1F and NEL, without U+FEFF. */
export const SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

// Not /^ +| +$/, which tries each space of a long run anew.
const BETWEEN_SPACES = new RegExp(`[^${SPACE}](?:.*[^${SPACE}])?`, 's');

/** Python's `str.strip()`. */
export function strip(text: string): string {
  return BETWEEN_SPACES.exec(text)?.[0] ?? '';
}
