/** A row of a table, its values as they were before COPY escaped them. */
export interface Row {
  table: string;
  values: ReadonlyMap<string, string>;
}

/** The rows that a plain dump of pg_dump holds, and every word of it. */
export function readDump(text: string): { rows: Row[]; words: string[] } {
  const tables = text.matchAll(/^COPY \w+\.(\w+) \(([^)]*)\) FROM stdin;\n((?:.*\n)*?)\\\.$/gm);
  const rows = [...tables].flatMap(([, table = '', columns = '', lines = '']) =>
    lines
      .split('\n')
      .filter(Boolean)
      .map((line) => readRow(table, columns.split(', '), line)),
  );
  return { rows, words: [...new Set(text.split(/\s+/))] };
}

function readRow(table: string, columns: string[], line: string): Row {
  const values = new Map<string, string>();
  for (const [index, field] of line.split('\t').entries()) {
    const column = columns[index];
    if (column !== undefined && field !== '\\N') values.set(column, unescape(field));
  }
  return { table, values };
}

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const unescape = (field: string): string =>
  field.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);

/** What somebody might take a value for: itself, its pieces, and binary data in the usual spellings. */
export function formsOf(value: string): string[] {
  const pieces = value.split(/[^A-Za-z0-9]+/);
  const forms = new Set([value, value.trim(), ...pieces, ...value.split('$'), pieces.join('')]);
  if (/^\\x([0-9a-f]{2})+$/.test(value)) {
    const bytes = Buffer.from(value.slice(2), 'hex');
    forms.add(bytes.toString('hex'));
    forms.add(bytes.toString('hex').toUpperCase());
    forms.add(bytes.toString('base64'));
    forms.add(bytes.toString('base64url'));
    forms.add(bytes.toString('latin1'));
    forms.add(BigInt(`0x${bytes.toString('hex')}`).toString());
  }
  forms.delete('');
  return [...forms];
}

const TOKEN_LENGTH = 40;

/** All that looks like an opaque token in binary data: every 40 hexadecimal digits, at whatever place. */
export function tokenLike(value: string): string[] {
  if (!/^\\x([0-9a-f]{2})+$/.test(value)) return [];
  const digits = value.slice(2);
  const windows = Math.max(0, digits.length - TOKEN_LENGTH + 1);
  return Array.from({ length: windows }, (_, start) => digits.slice(start, start + TOKEN_LENGTH));
}

/** Bytes that a text may stand for, the text itself first. */
export function bytesOf(text: string): Buffer[] {
  const readings = [Buffer.from(text)];
  if (/^([0-9a-f]{2})+$/i.test(text)) readings.push(Buffer.from(text, 'hex'));
  if (/^[\w+/-]{16,}=*$/.test(text)) readings.push(Buffer.from(text, 'base64'));
  return readings;
}
