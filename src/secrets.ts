import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// Placeholders, also where they are padded or repeated, and runs of one character.
const WELL_KNOWN =
  /change-?me|your-256-bit-secret|django-insecure|^(secret|password|key|jwt|test|(.)\2*)$/i;

/** Why a secret is too weak for production, or undefined. Never quotes the secret. */
export function weakness(secret: string): string | undefined {
  if (WELL_KNOWN.test(secret)) return 'is a well-known value';
  if (Buffer.byteLength(secret) < 32) return 'is shorter than 32 bytes';
  if (new Set(secret).size < 10) return 'has too few different characters';
  return undefined;
}

export const randomSecret = (): string => randomBytes(48).toString('base64url');

/** A development secret: made once, then read from `directory` (file mode 0600). */
export function developmentSecret(directory: string, name: string, make: () => string): string {
  const file = path.join(directory, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, make(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const secret = readFileSync(file, 'utf8');
  // Left behind by a start that was cut short.
  if (secret === '') throw new Error(`is empty in ${file}: remove that file`);
  return secret;
}

export function newSigningKey(algorithm: string): string {
  if (algorithm.startsWith('HS')) return randomSecret();
  const { privateKey } = algorithm.startsWith('RS')
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The key that signs, from a secret or a PEM text; throws an Error that says what does not fit. */
export function signingKey(algorithm: string, text: string): KeyObject {
  if (algorithm.startsWith('HS')) {
    // With ALGORITHM forgotten, a public key would become a secret that everybody knows.
    if (text.includes('-----BEGIN'))
      throw new Error(`is a PEM key, which ${algorithm} does not use`);
    return createSecretKey(text, 'utf8');
  }
  const key = readKey(() => createPrivateKey(text), 'private');
  checkKind(algorithm, key);
  return key;
}

/** The key that verifies what `signing` signs; `text` may spell it out, as the PEM of a public key. */
export function verifyingKey(algorithm: string, signing: KeyObject, text?: string): KeyObject {
  const isSymmetric = algorithm.startsWith('HS');
  if (text === undefined) return isSymmetric ? signing : createPublicKey(signing);
  if (isSymmetric) throw new Error(`is not used with ${algorithm}`);
  const key = publicKey(algorithm, text);
  if (!createPublicKey(signing).equals(key)) throw new Error('does not belong to SIGNING_KEY');
  return key;
}

/** The public key of a PEM text, which may be that of a private key. */
export function publicKey(algorithm: string, text: string): KeyObject {
  const key = readKey(() => createPublicKey(text), 'public');
  checkKind(algorithm, key);
  return key;
}

/** What names a public key: RFC 7638, 3.2, of the required members alone, in lexicographic order. */
export function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

function readKey(read: () => KeyObject, kind: string): KeyObject {
  try {
    return read();
  } catch (error) {
    throw new Error(`holds no readable PEM ${kind} key`, { cause: error });
  }
}

function checkKind(algorithm: string, key: KeyObject): void {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (algorithm.startsWith('RS')) {
    if (key.asymmetricKeyType !== 'rsa') throw new Error(`is no RSA key, which ${algorithm} needs`);
    if (modulusLength < 2048) throw new Error('is an RSA key of less than 2048 bits');
  } else if (key.asymmetricKeyType !== 'ec' || namedCurve !== 'prime256v1') {
    throw new Error(`is no P-256 key, which ${algorithm} needs`);
  }
}
