import { claimsOf, textsOf } from '../jwt/forge.ts';

/** Whether a value that nobody can foresee is as good as the one that an example shows. */
export type Matcher = (value: unknown, shown: unknown) => boolean;

const RANDOM_CLAIMS = ['jti', 'sid'];

/** Header and claims are alike, in the same order, but for what is random. */
const isTokenLike: Matcher = (value, shown) => {
  const [header, payload] = [String(value), String(shown)].map((token) => {
    const claims = Object.entries(claimsOf(token));
    const known = claims.map(([name, claim]) => [
      name,
      RANDOM_CLAIMS.includes(name) ? shapeOf(String(claim)) : claim,
    ]);
    return JSON.stringify([textsOf(token)[0], known]);
  });
  return header === payload;
};

/** What stays of a text where each digit is any digit. */
const shapeOf = (text: string): string => text.replace(/[0-9a-f]/g, '0');

const isOpaqueToken: Matcher = (value) => /^[0-9a-f]{40}$/.test(String(value));

// The database's clock, which no test sets.
const isJustNow: Matcher = (value) => {
  const text = String(value);
  const age = Date.now() - Date.parse(text);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text) && Math.abs(age) < 60_000;
};

const isTag: Matcher = (value) => /^"[\w-]{43}"$/.test(String(value));

const isBase64urlLike: Matcher = (value, shown) =>
  /^[\w-]+$/.test(String(value)) && String(value).length === String(shown).length;

const isLike: Matcher = (value, shown) =>
  String(value).replace(/\d+|anon|user|guess/g, '0') ===
  String(shown).replace(/\d+|anon|user|guess/g, '0');

/** What cannot be foreseen of an answer, by the name of its example, in one operation or in all. All else is exactly what is shown. */
export const UNFORESEEN: Record<string, Record<string, Matcher>> = {
  throttled: {
    detail: isLike,
    'retry-after': isLike,
    ratelimit: isLike,
    'ratelimit-policy': isLike,
  },
  'rotateAuthToken token': { token: isOpaqueToken },
  'login pair': { access: isTokenLike, refresh: isTokenLike },
  'refreshToken access_only': { access: isTokenLike },
  'refreshToken rotated': { access: isTokenLike, refresh: isTokenLike },
  'obtainSlidingToken sliding': { token: isTokenLike },
  'refreshSlidingToken refreshed': { token: isTokenLike },
  'createProduct oak_chair': { created_at: isJustNow, updated_at: isJustNow, etag: isTag },
  'updateProduct oak_chair': { updated_at: isJustNow, etag: isTag },
  'partialUpdateProduct oak_chair_on_sale': { updated_at: isJustNow, etag: isTag },
  'getJwks rotation': {
    kid: isBase64urlLike,
    n: isBase64urlLike,
    x: isBase64urlLike,
    y: isBase64urlLike,
  },
};

/** A value with what a matcher takes replaced by what is shown, so that all of it can be compared with that. */
export function asShown(
  value: unknown,
  shown: unknown,
  matchers: Record<string, Matcher> = {},
): unknown {
  if (Array.isArray(value) && Array.isArray(shown))
    return value.map((entry, index) => asShown(entry, shown[index], matchers));
  if (!isObject(value) || !isObject(shown)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key in shown && matchers[key]?.(member, shown[key])
        ? shown[key]
        : asShown(member, shown[key], matchers),
    ]),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
