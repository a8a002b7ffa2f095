import { refuseProblems } from '../errors.ts';
import type { Reason } from '../errors.ts';
import { BLANK, tooLong } from '../text.ts';
import { isOfOneScript } from './scripts.ts';

const MAX_LENGTH = 150;

// Python's \w: letters and numbers of all scripts, no combining marks.
const ALLOWED = /^[\p{L}\p{N}_.@+-]+$/u;
// Letters that are not seen: a name with one looks like another name.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

/** The form in which a name is stored and looked up: two names that look the same are one. */
export function normalizeUsername(text: string): string {
  return text.normalize('NFKC').trim();
}

/** The stored form of a name for a new account; throws Django's sentences where it cannot be one. */
export function canonicalUsername(text: string): string {
  const username = normalizeUsername(text);
  refuseProblems({ username: usernameProblems(username) });
  return username;
}

/** Every reason against a name, in its stored form, that whoever runs the service gives. */
export function usernameProblems(username: string): Reason[] {
  return problemsOf(username, isWritten(username));
}

/** The same for a name that a stranger asks for: letters of several scripts are there to look like another name. */
export function registrationProblems(username: string): Reason[] {
  return problemsOf(username, isWritten(username) && isOfOneScript(username));
}

const isWritten = (username: string): boolean =>
  ALLOWED.test(username) && !INVISIBLE.test(username);

function problemsOf(username: string, isAllowed: boolean): Reason[] {
  if (username === '') return [BLANK];
  const problems: Reason[] = [];
  if (!isAllowed)
    problems.push({
      detail:
        'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      code: 'invalid',
    });
  if ([...username].length > MAX_LENGTH) problems.push(tooLong(MAX_LENGTH));
  return problems;
}
