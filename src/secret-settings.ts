import type { KeyObject } from 'node:crypto';
import type { Checklist } from './checklist.ts';
import { OperatorError } from './errors.ts';
import { readKeys } from './key-directory.ts';
import type { ManagedKey } from './key-directory.ts';
import {
  developmentSecret,
  newSigningKey,
  randomSecret,
  signingKey,
  verifyingKey,
  weakness,
} from './secrets.ts';
import type { Parsed } from './settings.ts';

export interface Secrets {
  readonly SECRET_KEY: string;
  /** Undefined only where a managed key signs. */
  readonly SIGNING_KEY: KeyObject | undefined;
  readonly VERIFYING_KEY: KeyObject | undefined;
}

/** The keys of KEYS_DIR that are in use. */
export function readManagedKeys({ KEYS_DIR }: Parsed): ManagedKey[] {
  try {
    return KEYS_DIR === undefined ? [] : readKeys(KEYS_DIR);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new Error(`cannot be used: ${error.message.replace(/\.$/, '')}`, { cause: error });
  }
}

/** Judges the secrets, and makes in development those that are missing. */
export function readSecrets(
  parsed: Parsed,
  managedKeys: ManagedKey[] | undefined,
  { attempt, failed }: Checklist,
): Secrets | undefined {
  const { ALGORITHM, VERIFYING_KEY: verifyingText } = parsed;
  const SECRET_KEY = attempt('SECRET_KEY', () => secret('SECRET_KEY', randomSecret, parsed));
  // What a signing key has to be is known with the algorithm only.
  if (failed.has('ALGORITHM')) return undefined;
  // Managed keys that cannot be read are told as such, and may well hold one that signs.
  const isSpare = !managedKeys || managedKeys.some(({ state }) => state === 'current');
  const SIGNING_KEY = attempt('SIGNING_KEY', () => {
    if (isSpare && isProduction(parsed) && parsed.SIGNING_KEY === undefined) return undefined;
    const text = secret('SIGNING_KEY', () => newSigningKey(ALGORITHM), parsed);
    return signingKey(ALGORITHM, text);
  });
  const VERIFYING_KEY = attempt('VERIFYING_KEY', () => {
    if (SIGNING_KEY) return verifyingKey(ALGORITHM, SIGNING_KEY, verifyingText);
    const isAlone = verifyingText !== undefined && !failed.has('SIGNING_KEY');
    if (isAlone) throw new Error('is set without SIGNING_KEY');
    return undefined;
  });
  const { INTROSPECTION_CLIENT_SECRET: clientSecret } = parsed;
  if (isProduction(parsed) && clientSecret !== undefined)
    attempt('INTROSPECTION_CLIENT_SECRET', () => refuseWeak(clientSecret));
  return SECRET_KEY === undefined ? undefined : { SECRET_KEY, SIGNING_KEY, VERIFYING_KEY };
}

const isProduction = ({ NODE_ENV }: Parsed): boolean => NODE_ENV === 'production';

function secret(name: 'SECRET_KEY' | 'SIGNING_KEY', make: () => string, parsed: Parsed): string {
  const value = parsed[name];
  if (!isProduction(parsed)) {
    // A key of another algorithm must not be taken up again when ALGORITHM changes.
    const file = name === 'SIGNING_KEY' ? `signing_key.${parsed.ALGORITHM}` : 'secret_key';
    return value ?? developmentSecret(parsed.DATA_DIR, file, make);
  }
  if (value === undefined) throw new Error('is missing: production makes no secrets of its own');
  const isPem = name === 'SIGNING_KEY' && !parsed.ALGORITHM.startsWith('HS');
  if (!isPem) refuseWeak(value);
  return value;
}

function refuseWeak(secret: string): void {
  const reason = weakness(secret);
  if (reason) throw new Error(`${reason}: production needs a strong one`);
}
