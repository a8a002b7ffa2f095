import type { Reason } from './errors.ts';

/** What Python's `str.isspace` says, for a class of a RegExp: unlike `\s` with 1C to 1F and NEL, without U+FEFF. */
export const SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

// Not /^ +| +$/, which tries each space of a long run anew.
const BETWEEN_SPACES = new RegExp(`[^${SPACE}](?:.*[^${SPACE}])?`, 's');

/** Python's `str.strip()`. */
export function strip(text: string): string {
  return BETWEEN_SPACES.exec(text)?.[0] ?? '';
}

/**
 * Why a text cannot be stored, in Django's words: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates.
 * Neither can it be hashed as a password, since bcrypt ends at a NUL and all surrogates are the same bytes.
 */
export function textProblems(text: string): Reason[] {
  const problems: Reason[] = [];
  if (text.includes('\0'))
    problems.push({
      detail: 'Null characters are not allowed.',
      code: 'null_characters_not_allowed',
    });
  const surrogate = /\p{Surrogate}/u.exec(text)?.[0].charCodeAt(0).toString(16).toUpperCase();
  if (surrogate !== undefined)
    problems.push({
      detail: `Surrogate characters are not allowed: U+${surrogate}.`,
      code: 'surrogate_characters_not_allowed',
    });
  return problems;
}

/** DRF's reason against a text of more than `limit` characters. */
export const tooLong = (limit: number): Reason => ({
  detail: `Ensure this field has no more than ${limit} characters.`,
  code: 'max_length',
});

export const BLANK: Reason = { detail: 'This field may not be blank.', code: 'blank' };

export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
