import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const WELL_KNOWN =
  /^(secret|changeme|change-me|password|key|jwt|test|your-256-bit-secret|django-insecure-.*|(.)\2*)$/i;

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
  return readFileSync(file, 'utf8');
}

export function newSigningKey(algorithm: string): string {
  if (algorithm.startsWith('HS')) return randomSecret();
  const { privateKey } = algorithm.startsWith('RS')
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export interface KeyPair {
  signing: KeyObject;
  verifying: KeyObject;
}

/** The keys of an algorithm from a secret or PEM texts; throws an Error that says what does not fit. */
export function keyPair(algorithm: string, signingText: string, verifyingText?: string): KeyPair {
  if (algorithm.startsWith('HS')) {
    if (verifyingText) throw new Error(`is not used with ${algorithm}`);
    const secret = createSecretKey(signingText, 'utf8');
    return { signing: secret, verifying: secret };
  }
  const signing = readKey(() => createPrivateKey(signingText), 'private');
  const verifying = readKey(
    () => createPublicKey(verifyingText ?? signing.export({ type: 'pkcs8', format: 'pem' })),
    'public',
  );
  for (const key of [signing, verifying]) checkKind(algorithm, key);
  if (!createPublicKey(signing.export({ type: 'pkcs8', format: 'pem' })).equals(verifying))
    throw new Error('does not belong to SIGNING_KEY');
  return { signing, verifying };
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
