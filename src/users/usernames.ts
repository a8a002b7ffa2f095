import { ValidationError } from '../errors.ts';

const MAX_LENGTH = 150;

// Python's \w: letters and numbers of all scripts, no combining marks.
const ALLOWED = /^[\p{L}\p{N}_.@+-]+$/u;

/** The form in which a name is stored and looked up: two names that look the same are one. */
export function normalizeUsername(text: string): string {
  return text.normalize('NFKC').trim();
}

/** The stored form of a name for a new account; throws Django's sentences where it cannot be one. */
export function canonicalUsername(text: string): string {
  const username = normalizeUsername(text);
  if (username === '') throw new ValidationError({ username: ['This field may not be blank.'] });

  const reasons: string[] = [];
  if (!ALLOWED.test(username))
    reasons.push(
      'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
    );
  if ([...username].length > MAX_LENGTH)
    reasons.push(`Ensure this field has no more than ${MAX_LENGTH} characters.`);
  if (reasons.length > 0) throw new ValidationError({ username: reasons });
  return username;
}
