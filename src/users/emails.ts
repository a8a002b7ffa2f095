import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Reason } from '../errors.ts';
import { tooLong } from '../text.ts';

// The width of the column, and RFC 3696's of any address.
const MAX_LENGTH = 254;
const MAX_ADDRESS = 320;

// Django's EmailValidator, but for the control characters that it takes within quotes.
const LOCAL =
  /^(?:[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(?:\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*|"(?:[ !#-[\]-~]|\\[ -~])*")$/i;
const DOMAIN = /^(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z0-9-]{2,63}(?<!-)$/i;
const UNICODE_DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
const ADDRESS = /^\[([A-F0-9:.]+)\]$/i;

/** Every reason against an e-mail address in its stored form, in Django's sentences. A blank one stands for none. */
export function emailProblems(email: string): Reason[] {
  const problems: Reason[] = [];
  if ([...email].length > MAX_LENGTH) problems.push(tooLong(MAX_LENGTH));
  if (email !== '' && !isAddress(email))
    problems.push({ detail: 'Enter a valid email address.', code: 'invalid' });
  return problems;
}

/** The stored form, as Django's `normalize_email`: the domain has no case. */
export function normalizeEmail(email: string): string {
  const [local, domain] = split(email);
  return domain === undefined ? email : `${local}@${domain.toLowerCase()}`;
}

function isAddress(email: string): boolean {
  const [local, domain] = split(email);
  if (domain === undefined || email.length > MAX_ADDRESS) return false;
  return LOCAL.test(local) && isDomain(domain);
}

function isDomain(domain: string): boolean {
  if (domain === 'localhost' || DOMAIN.test(domain)) return true;
  if (isIP(ADDRESS.exec(domain)?.[1] ?? '') !== 0) return true;
  return UNICODE_DOMAIN.test(domain) && DOMAIN.test(domainToASCII(domain));
}

function split(email: string): [local: string, domain: string | undefined] {
  const at = email.lastIndexOf('@');
  return at === -1 ? [email, undefined] : [email.slice(0, at), email.slice(at + 1)];
}
