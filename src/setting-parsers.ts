import { BlockList, isIP } from 'node:net';

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
// 100 years: far below the last instant that a Date holds.
const LONGEST = 3_155_760_000;

export function seconds(text: string): number {
  const match = /^(\d{1,9})([smhdw]?)$/.exec(text);
  if (!match) throw new Error('must be seconds or a number with s, m, h, d or w, such as 5m');
  const value = Number(match[1]) * (UNITS[match[2] || 's'] ?? 1);
  if (value > LONGEST) throw new Error('must be at most 100 years');
  return value;
}

export function lifetime(text: string): number {
  const value = seconds(text);
  if (value < 1) throw new Error('must be at least one second');
  return value;
}

/** A time that weakens a check where it is long. */
export function shortTime(longest: number): (text: string) => number {
  return (text) => {
    const value = seconds(text);
    if (value > longest) throw new Error(`must be at most ${longest} seconds`);
    return value;
  };
}

/** So many within so many seconds. */
export interface Rate {
  count: number;
  seconds: number;
}

/** DRF's notation, where the first letter of the period counts; null is no limit. */
export function rate(text: string): Rate | null {
  if (text === 'none') return null;
  const [, number, unit = ''] = /^(\d{1,9})\/([smhd])[a-z]*$/.exec(text) ?? [];
  if (number === undefined)
    throw new Error('must be a number per s, m, h or d, such as 10/m, or none');
  return { count: Number(number), seconds: UNITS[unit] ?? 1 };
}

export function boolean(text: string): boolean {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new Error('must be true or false');
}

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new Error(`must be an integer from ${min} to ${max}`);
    return value;
  };
}

export function workers(text: string): number | 'auto' {
  if (text === 'auto') return text;
  try {
    return integer(1, 256)(text);
  } catch (error) {
    throw new Error('must be auto or an integer from 1 to 256', { cause: error });
  }
}

/** A part of a whole. */
export function share(text: string): number {
  const value = /^\d(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) throw new Error('must be a number from 0 to 1, such as 0.01');
  return value;
}

export function oneOf<const Value extends string>(
  ...values: readonly Value[]
): (text: string) => Value {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}`);
    return value;
  };
}

export function list(text: string): string[] {
  const values = text.split(',').map((value) => value.trim());
  if (values.includes('')) throw new Error('must be a comma-separated list without empty entries');
  if (new Set(values).size !== values.length) throw new Error('names an entry twice');
  return values;
}

export function keyword(text: string): string[] {
  const values = list(text);
  if (!values.every((value) => /^[A-Za-z][\w-]*$/.test(value))) throw new Error('must be words');
  return values;
}

const TOKEN_CLASSES = ['AccessToken', 'SlidingToken'] as const;

export function tokenClasses(text: string): (typeof TOKEN_CLASSES)[number][] {
  const names = list(text);
  const classes = TOKEN_CLASSES.filter((name) => names.includes(name));
  if (classes.length < names.length) throw new Error(`must be of ${TOKEN_CLASSES.join(', ')}`);
  return classes.toSorted((one, other) => names.indexOf(one) - names.indexOf(other));
}

export const claim = (text: string): string => {
  if (!/^\w{1,64}$/.test(text)) throw new Error('must be a claim name of letters, digits and _');
  return text;
};

export function claims(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, without the parser's words.
  }
  throw new Error('must be a JSON object');
}

export function databaseUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text))
    throw new Error('must begin with postgres:// or postgresql://');
  if (!URL.canParse(text)) throw new Error('is not a URL');
  return text;
}

export function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash)
    throw new Error('must be an origin such as https://api.example.com');
  return url.origin;
}

/** No `*`, alone or in a name: which pages may act with what a user has is worth a list. */
export function origins(text: string): string[] {
  if (text.includes('*')) throw new Error('must name each origin; there is no * for many');
  return list(text).map(baseUrl);
}

export const clientId = (text: string): string => {
  // HTTP Basic ends the name at the first colon.
  if (!/^[!-9;-~]+$/.test(text))
    throw new Error('must be printable ASCII without spaces and colons');
  return text;
};

export const text = (value: string): string => value;

/** Addresses and networks, such as `127.0.0.1,10.0.0.0/8,fd00::/8`. */
export function networks(value: string): BlockList {
  const found = new BlockList();
  for (const one of list(value)) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(one) ?? [];
    const family = isIP(address);
    const longest = family === 6 ? 128 : 32;
    if (family === 0 || Number(bits ?? longest) > longest)
      throw new Error('must be addresses and networks, such as 127.0.0.1,10.0.0.0/8');
    found.addSubnet(address, Number(bits ?? longest), family === 6 ? 'ipv6' : 'ipv4');
  }
  return found;
}

export function redisUrl(value: string): string {
  if (!/^rediss?:$/.test(URL.parse(value)?.protocol ?? ''))
    throw new Error('must be a URL such as redis://host:6379');
  return value;
}
