import type { IncomingMessage } from 'node:http';
import { TextDecoder } from 'node:util';
import { Busboy } from '@fastify/busboy';
import contentType from 'content-type';
import getRawBody from 'raw-body';
import { ParseError, RequestTooLarge, UnsupportedMediaType } from '../errors.ts';

export interface RequestBody {
  /** A file in a form is an object: no text, whatever the contract wants. */
  data: unknown;
  isForm: boolean;
}

const MAX_FORM_FIELDS = 1000;
const MAX_JSON_DEPTH = 32;

/** Reads a JSON, URL-encoded or multipart body of at most `limit` bytes; no body at all is `{}`, as in DRF. */
export async function readBody(request: IncomingMessage, limit: number): Promise<RequestBody> {
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) return { data: {}, isForm: false };

  const header = request.headers['content-type'] ?? '';
  const { type, parameters } = contentType.parse(header);
  if (type === 'application/json')
    return { data: parseJson(decode(bytes, parameters.charset ?? 'utf-8', header)), isForm: false };
  if (type === 'application/x-www-form-urlencoded') return { data: parseForm(bytes), isForm: true };
  if (type === 'multipart/form-data')
    return { data: await parseMultipart(bytes, parameters.boundary, header), isForm: true };
  throw new UnsupportedMediaType(header);
}

async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  try {
    return await getRawBody(request, { limit, length: request.headers['content-length'] ?? null });
  } catch (error) {
    const type = error instanceof Error && 'type' in error ? error.type : undefined;
    if (type === 'entity.too.large') throw new RequestTooLarge();
    throw new ParseError('Malformed request.', { cause: error });
  }
}

function decode(bytes: Buffer, charset: string, header: string): string {
  const decoder = charset === 'utf-8' ? UTF_8 : decoderOf(charset);
  if (!decoder) throw new UnsupportedMediaType(header);
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new ParseError(`JSON parse error - the body is not ${charset} text`, { cause: error });
  }
}

function decoderOf(charset: string): TextDecoder | undefined {
  // Python also takes `utf_8` and `latin-1`, which WHATWG's list spells otherwise.
  const label = charset.replaceAll('_', '-').replace(/^latin-/i, 'latin');
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true });
  } catch {
    return undefined;
  }
}

const UTF_8 = decoderOf('utf-8');

function parseJson(text: string): unknown {
  if (isDeeperThan(MAX_JSON_DEPTH, text))
    throw new ParseError(`JSON parse error - nested deeper than ${MAX_JSON_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ParseError(`JSON parse error - invalid JSON${placeOf(error, text)}`, {
      cause: error,
    });
  }
}

// What is in quotes does not nest. One pass, whatever the text is: it is not known yet to be JSON.
function isDeeperThan(limit: number, text: string): boolean {
  let depth = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) index += character === '\\' ? 1 : 0;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}

// V8 quotes the body in its message; only the place is worth telling, and not always known.
function placeOf(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : '';
  const isCut = message.startsWith('Unexpected end');
  const index = isCut ? text.length : Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  if (Number.isNaN(index)) return '';
  const lines = text.slice(0, index).split('\n');
  return `: line ${lines.length} column ${(lines.at(-1)?.length ?? 0) + 1} (char ${index})`;
}

function parseForm(bytes: Buffer): Record<string, unknown> {
  // Counted first: taking a hundred thousand fields apart would hold up everybody.
  if (countOf('&', bytes) > MAX_FORM_FIELDS) throw new ParseError('Too many form fields.');
  // Behind the ampersand a question mark is part of the first name, as anywhere else.
  const fields = [...new URLSearchParams(`&${bytes.toString()}`)];
  if (fields.length > MAX_FORM_FIELDS) throw new ParseError('Too many form fields.');
  return Object.fromEntries(fields);
}

function countOf(character: string, bytes: Buffer): number {
  const code = character.charCodeAt(0);
  let count = 0;
  for (const byte of bytes) if (byte === code) count += 1;
  return count;
}

async function parseMultipart(
  bytes: Buffer,
  boundary: string | undefined,
  header: string,
): Promise<Record<string, unknown>> {
  const refuse = (cause: unknown, reason = 'Malformed body'): ParseError =>
    new ParseError(`Multipart form parse error - ${reason}`, { cause });
  if (!boundary) throw refuse(undefined, 'Invalid boundary in multipart: None');
  return new Promise((resolve, reject) => {
    const fields: [string, unknown][] = [];
    try {
      const parser = new Busboy({
        headers: { 'content-type': header },
        isPartAFile: (_name, _type, filename) => filename !== undefined,
        limits: { fields: MAX_FORM_FIELDS, files: MAX_FORM_FIELDS, fieldSize: bytes.length },
      });
      parser
        .on('field', (name: string, value: string) => fields.push([name, value]))
        .on('file', (name, stream, filename) => {
          // An input of a form in which no file was chosen.
          if (filename !== '') fields.push([name, { file: true }]);
          // It has an error of its own where the body ends within the file; unheard, that ends the process.
          stream.on('error', (error: Error) => reject(refuse(error))).resume();
        })
        .on('fieldsLimit', () => reject(new ParseError('Too many form fields.')))
        .on('filesLimit', () => reject(new ParseError('Too many form fields.')))
        .on('error', (error) => reject(refuse(error)))
        .on('finish', () => resolve(Object.fromEntries(fields)));
      parser.end(bytes);
    } catch (error) {
      reject(refuse(error));
    }
  });
}
