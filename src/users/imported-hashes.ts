import { argon2, pbkdf2, scrypt } from 'node:crypto';
import type { Argon2Algorithm } from 'node:crypto';

/** What a password has to derive, and how. */
export interface RecordedHash {
  digest: Buffer;
  /** undefined where the parameters, or the algorithm, are too much for this platform's OpenSSL. */
  derive: (password: string) => Promise<Buffer | undefined>;
}

type Fields = Record<string, string>;
type Outcome = (error: Error | null, key: Buffer) => void;

// A hash in an import file may not ask for more work than about a second on one core.
const MAX_PBKDF2_ITERATIONS = 5_000_000;
const MAX_SCRYPT_BYTES = 2 ** 26;
const MAX_SCRYPT_WORK = 2 ** 23;
const MAX_ARGON2_KIB = 2 ** 18;
const MAX_ARGON2_WORK = 2 ** 20;

// Django's notations. The quantifiers bound what Number() has to hold.
const FORMATS: [RegExp, (fields: Fields) => RecordedHash | undefined][] = [
  [
    /^pbkdf2_(?<hash>sha256|sha1)\$(?<rounds>[1-9]\d{0,8})\$(?<salt>[^$]+)\$(?<digest>[^$]+)$/,
    readPbkdf2,
  ],
  [
    /^scrypt\$(?<n>[1-9]\d{0,8})\$(?<salt>[^$]+)\$(?<r>[1-9]\d{0,3})\$(?<p>[1-9]\d{0,3})\$(?<digest>[^$]+)$/,
    readScrypt,
  ],
  [
    /^argon2\$(?<variant>argon2(?:id|i|d))\$v=19\$m=(?<m>[1-9]\d{0,8}),t=(?<t>[1-9]\d{0,5}),p=(?<p>[1-9]\d{0,3})\$(?<salt>[^$]+)\$(?<digest>[^$]+)$/,
    readArgon2,
  ],
];

/** Reads a hash that Django made without bcrypt; undefined for anything else, or if it asks for too much work. */
export function readImportedHash(encoded: string): RecordedHash | undefined {
  for (const [format, read] of FORMATS) {
    const fields = format.exec(encoded)?.groups;
    if (fields) return read(fields);
  }
  return undefined;
}

function readPbkdf2({
  hash = '',
  rounds,
  salt = '',
  digest = '',
}: Fields): RecordedHash | undefined {
  const bytes = readBase64(digest);
  const length = hash === 'sha256' ? 32 : 20;
  if (bytes?.length !== length || Number(rounds) > MAX_PBKDF2_ITERATIONS) return undefined;
  return {
    digest: bytes,
    derive: (password) => key((done) => pbkdf2(password, salt, Number(rounds), length, hash, done)),
  };
}

function readScrypt({ n, salt = '', r, p, digest = '' }: Fields): RecordedHash | undefined {
  const bytes = readBase64(digest);
  const [cost, blockSize, parallelization] = [Number(n), Number(r), Number(p)];
  const memory = 128 * blockSize * (cost + parallelization);
  if (bytes?.length !== 64 || cost < 2 || !Number.isInteger(Math.log2(cost))) return undefined;
  if (memory > MAX_SCRYPT_BYTES || cost * blockSize * parallelization > MAX_SCRYPT_WORK)
    return undefined;
  const options = { cost, blockSize, parallelization, maxmem: 2 * MAX_SCRYPT_BYTES };
  return {
    digest: bytes,
    derive: (password) => key((done) => scrypt(password, salt, 64, options, done)),
  };
}

function readArgon2({
  variant,
  m,
  t,
  p,
  salt = '',
  digest = '',
}: Fields): RecordedHash | undefined {
  const [bytes, nonce] = [readBase64(digest), readBase64(salt)];
  const [memory, passes, parallelism] = [Number(m), Number(t), Number(p)];
  if (!bytes || bytes.length < 4 || bytes.length > 64 || !nonce || nonce.length < 8)
    return undefined;
  if (memory < 8 * parallelism || memory > MAX_ARGON2_KIB || memory * passes > MAX_ARGON2_WORK)
    return undefined;
  const parameters = { nonce, memory, passes, parallelism, tagLength: bytes.length };
  const algorithm = variant as Argon2Algorithm; // the format's only alternatives
  return {
    digest: bytes,
    derive: (message) => key((done) => argon2(algorithm, { message, ...parameters }, done)),
  };
}

/** Base64 with or without padding; undefined where Buffer would have skipped over something. */
function readBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const canonical = bytes.toString('base64');
  return canonical === text || canonical.replace(/=+$/, '') === text ? bytes : undefined;
}

function key(start: (done: Outcome) => void): Promise<Buffer | undefined> {
  return new Promise<Buffer>((resolve, reject) => {
    start((error, bytes) => (error ? reject(error) : resolve(bytes)));
  }).catch(() => undefined);
}
