import { createPublicKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Algorithm } from '../config.ts';
import { OperatorError } from '../errors.ts';
import { isSymmetric, readPrivateFile } from '../key-directory.ts';
import { newSigningKey, publicKey, signingKey, thumbprint, weakness } from '../secrets.ts';

export interface NewKey {
  kid: string;
  /** What verifies. */
  key: KeyObject;
  /** What the key's file will hold. */
  text: string;
}

/** A key that nobody has. */
export function makeKey(algorithm: Algorithm): NewKey {
  // A kid that begins with a dash would be read as an option.
  for (;;) {
    const made = toNewKey(signingKey(algorithm, newSigningKey(algorithm)));
    if (!made.kid.startsWith('-')) return made;
  }
}

interface KeyFile {
  algorithm: Algorithm;
  file: string;
  verifyOnly?: boolean;
}

/** The key of a file, whole or, to verify only, its public half. */
export function takeKey({ algorithm, file, verifyOnly = false }: KeyFile): NewKey {
  const isPublic = verifyOnly && !isSymmetric({ algorithm });
  const text = (isPublic ? readPublicFile(file) : readPrivateFile(file)).trim();
  try {
    if (isPublic) return toNewKey(publicKey(algorithm, text));
    const reason = isSymmetric({ algorithm }) && !text.includes('-----BEGIN') && weakness(text);
    if (reason) throw new Error(`holds a secret that ${reason}`);
    return toNewKey(signingKey(algorithm, text));
  } catch (error) {
    throw new OperatorError(`${file} ${error instanceof Error ? error.message : 'is no key'}.`, {
      cause: error,
    });
  }
}

function readPublicFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no reason given';
    throw new OperatorError(`${file} cannot be read: ${reason}.`, { cause: error });
  }
}

function toNewKey(key: KeyObject): NewKey {
  if (key.type === 'secret')
    return {
      kid: randomBytes(16).toString('hex'),
      key,
      text: `${key.export().toString('base64url')}\n`,
    };
  const isPublic = key.type === 'public';
  const verifying = isPublic ? key : createPublicKey(key);
  const text = key.export({ type: isPublic ? 'spki' : 'pkcs8', format: 'pem' }).toString();
  return { kid: thumbprint(verifying), key: verifying, text };
}
