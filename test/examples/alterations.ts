import type { Claims } from '../../src/jwt/codec.ts';
import { withClaims } from '../jwt/forge.ts';
import { testConfig } from '../support/config.ts';
import type { Sent } from './requests.ts';
import { ACCESS } from './story.ts';

/** How the service comes to give the answer that an example shows. */
export type Provocation = (sent: Sent) => Sent;

export const asItIs: Provocation = (sent) => sent;

export const body =
  (json: unknown): Provocation =>
  (sent) => ({ ...sent, json });

/** The valid body with other fields; it is an object, as the body of every operation. */
export const fields =
  (changes: Record<string, unknown>): Provocation =>
  (sent) => ({ ...sent, json: { ...(sent.json as object), ...changes } });

export const raw =
  (text: string, type?: string): Provocation =>
  (sent) => ({
    ...sent,
    json: undefined,
    raw: text,
    headers: { ...sent.headers, ...(type !== undefined && { 'Content-Type': type }) },
  });

export const header =
  (name: string, value: string | string[]): Provocation =>
  (sent) => ({ ...sent, headers: { ...sent.headers, [name]: value } });

export const authorization = (text: string): Provocation => header('Authorization', text);

export const anonymous: Provocation = (sent) => {
  const { Authorization: _, ...headers } = sent.headers;
  return { ...sent, headers };
};

export const query =
  (values: Record<string, string>): Provocation =>
  (sent) => ({ ...sent, query: { ...sent.query, ...values } });

/** The parameters as the contract shows them lead to the second page of two. */
export const firstPage: Provocation = (sent) => {
  const { page_size } = sent.operation.query;
  return page_size === undefined ? sent : query({ page_size })(sent);
};
export const lastPage: Provocation = (sent) => {
  const { cursor = '' } = sent.operation.query;
  return query({ cursor })(firstPage(sent));
};

export const unchanged: Provocation = (sent) => {
  const tag = sent.operation.headers['If-None-Match'] ?? '';
  return header('If-None-Match', tag)(firstPage(sent));
};

export const path =
  (text: string): Provocation =>
  (sent) => ({ ...sent, path: text });

const config = testConfig();
export const forged = (token: string, claims: Claims): string =>
  withClaims(token, claims, { deps: { config } });

export const bearer = (claims: Claims): Provocation =>
  authorization(`Bearer ${forged(ACCESS, claims)}`);

/** The token that the valid body carries, with other claims. */
export const token =
  (claims: Claims): Provocation =>
  (sent) => {
    const [[name, value]] = Object.entries(sent.json as Record<string, string>) as [
      [string, string],
    ];
    return fields({ [name]: forged(value, claims) })(sent);
  };

export const otherToken =
  (value: string): Provocation =>
  (sent) =>
    fields({ [Object.keys(sent.json as object)[0] ?? '']: value })(sent);

/** What can be wrong with any text. */
export const textProvocations = (prefix: string, field: string): Record<string, Provocation> => ({
  [`${prefix}_blank`]: fields({ [field]: '' }),
  [`${prefix}_null`]: fields({ [field]: null }),
  [`${prefix}_not_a_string`]: fields({ [field]: ['alice'] }),
  [`${prefix}_null_character`]: fields({ [field]: 'ali\0ce' }),
  [`${prefix}_surrogate`]: fields({ [field]: 'ali\ud800ce' }),
});
