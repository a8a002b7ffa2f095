import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Reason } from '../errors.ts';
import { textProblems, tooLong } from '../text.ts';

type Limits = Pick<Config, 'PASSWORD_MIN_LENGTH' | 'PASSWORD_MAX_LENGTH'>;

// Django's UserAttributeSimilarityValidator.
const MAX_SIMILARITY = 0.7;

/** Every reason against a new password, in the sentences of Django and DRF. No composition rules. */
export async function passwordProblems(
  password: string,
  username: string,
  config: Limits,
): Promise<Reason[]> {
  const normalized = password.normalize('NFKC');
  const length = [...normalized].length;
  const { PASSWORD_MIN_LENGTH: min, PASSWORD_MAX_LENGTH: max } = config;
  const reasons = textProblems(password);
  if (length < min)
    reasons.push({
      detail: `This password is too short. It must contain at least ${min} character${min === 1 ? '' : 's'}.`,
      code: 'password_too_short',
    });
  if (length > max) reasons.push(tooLong(max));
  if (isSimilar(normalized, username)) reasons.push(SIMILAR);
  if ((await commonPasswords()).has(normalized.toLowerCase().trim())) reasons.push(COMMON);
  return reasons;
}

const SIMILAR: Reason = {
  detail: 'The password is too similar to the username.',
  code: 'password_too_similar',
};
const COMMON: Reason = { detail: 'This password is too common.', code: 'password_too_common' };

let common: Promise<Set<string>> | undefined;

// Fifty thousand words, loaded by the first new password and by nobody else.
function commonPasswords(): Promise<Set<string>> {
  common ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common']),
  );
  return common;
}

function isSimilar(password: string, username: string): boolean {
  const name = username.toLowerCase();
  const parts = [name, ...name.split(/[^\p{L}\p{N}_]+/u)].filter(Boolean);
  const characters = [...password.toLowerCase()];
  return parts.some((part) => quickRatio(characters, [...part]) >= MAX_SIMILARITY);
}

/** `quick_ratio()` of Python's SequenceMatcher: the share of characters in common, wherever they stand. */
function quickRatio(left: string[], right: string[]): number {
  // What lengths alone decide is not counted: a long name of many parts would take a second.
  const length = left.length + right.length;
  const bound = (2 * Math.min(left.length, right.length)) / length;
  if (bound < MAX_SIMILARITY) return bound;
  const available = new Map<string, number>();
  for (const character of right) available.set(character, (available.get(character) ?? 0) + 1);
  let matches = 0;
  for (const character of left) {
    const count = available.get(character) ?? 0;
    if (count > 0) matches += 1;
    available.set(character, count - 1);
  }
  return (2 * matches) / length;
}

/** 24 characters that nobody mistakes for one another: 120 bits. */
export function generatePassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  return Array.from(randomBytes(24), (byte) => alphabet[byte % alphabet.length]).join('');
}
