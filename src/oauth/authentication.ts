import { createHash, timingSafeEqual } from 'node:crypto';
import type { Authenticator } from '../contract.ts';
import { DetailedAuthenticationFailed } from '../errors.ts';

export const BASIC_CHALLENGE = 'Basic realm="api", charset="UTF-8"';

/** The service that INTROSPECTION_CLIENT_SECRET lets in, by HTTP Basic (RFC 7617); without that setting nobody. */
export const authenticateClient: Authenticator = async ({ keyword, words }, { config }) => {
  const { INTROSPECTION_CLIENT_ID: clientId, INTROSPECTION_CLIENT_SECRET: secret } = config;
  if (keyword.toLowerCase() !== 'basic' || secret === undefined) return null;

  const [credentials = ''] = words;
  const shown = words.length <= 1 ? readCredentials(credentials) : [];
  if (!shown.some((text) => isSame(text, `${clientId}:${secret}`)))
    throw new DetailedAuthenticationFailed('Invalid client credentials.', 'invalid_client', {
      headers: { 'WWW-Authenticate': BASIC_CHALLENGE },
    });
  return { user: null, clientId };
};

// RFC 6749, 2.3.1 has name and password form-encoded first. Half of the clients don't.
function readCredentials(base64: string): string[] {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return [];
  const text = Buffer.from(base64, 'base64').toString();
  try {
    return [text, decodeURIComponent(text.replaceAll('+', ' '))];
  } catch {
    return [text];
  }
}

// Digests are of one length, and how far two of them agree tells nothing of what they were made of.
function isSame(shown: string, expected: string): boolean {
  return timingSafeEqual(digestOf(shown), digestOf(expected));
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
