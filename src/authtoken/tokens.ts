import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Account, User } from '../db.ts';
import type { Deps } from '../deps.ts';
import { holdAccount } from '../users/repository.ts';
import {
  exchangeSealedToken,
  findSealedToken,
  findTokenOf,
  insertSealedToken,
  replaceSealedToken,
  replaceTokenOf,
} from './repository.ts';
import type { SealedToken } from './repository.ts';

interface SealingKey {
  key: Buffer;
  id: string;
}

const sealingKeys = new WeakMap<Config, SealingKey>();

// One secret, one purpose: the key is derived, so that SECRET_KEY itself encrypts nothing.
function sealingKey(config: Config): SealingKey {
  let known = sealingKeys.get(config);
  if (!known) {
    const key = Buffer.from(hkdfSync('sha256', config.SECRET_KEY, '', 'latchkey authtoken', 32));
    known = { key, id: createHash('sha256').update(key).digest('hex').slice(0, 16) };
    sealingKeys.set(config, known);
  }
  return known;
}

export const generateKey = (): string => randomBytes(20).toString('hex');

export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function associatedData(userId: number, created: Date): Buffer {
  return Buffer.from(`${userId} ${created.toISOString()}`);
}

/** Encrypts a key for its row; the row cannot be moved to another user or time (AES-256-GCM). */
export function sealToken(
  token: string,
  userId: number,
  { config, now }: Pick<Deps, 'config' | 'now'>,
): SealedToken {
  const { key, id } = sealingKey(config);
  const created = now();
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(associatedData(userId, created));
  const sealed = Buffer.concat([cipher.update(token), cipher.final()]);
  return {
    user_id: userId,
    digest: digestOf(token),
    ciphertext: Buffer.concat([iv, sealed, cipher.getAuthTag()]),
    key_id: id,
    created,
  };
}

/** Throws where the row is not as `sealToken` made it: such a key is given to nobody. */
function openToken(row: SealedToken, config: Config): string {
  try {
    const iv = row.ciphertext.subarray(0, 12);
    const decipher = createDecipheriv('aes-256-gcm', sealingKey(config).key, iv);
    decipher.setAAD(associatedData(row.user_id, row.created));
    decipher.setAuthTag(row.ciphertext.subarray(-16));
    const sealed = row.ciphertext.subarray(12, -16);
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString();
  } catch (error) {
    throw new Error(`the token of user ${row.user_id} does not open: its row was tampered with`, {
      cause: error,
    });
  }
}

/**
 * The user's one opaque token, the same at every call (DRF's ObtainAuthToken), as long as SECRET_KEY stays.
 * What another SECRET_KEY sealed still authenticates, but cannot be told: a new one takes its place.
 */
export async function getOrCreateToken(userId: number, deps: Deps): Promise<string> {
  const known = await findSealedToken(userId, deps.db);
  if (known && canBeTold(known, deps)) return openToken(known, deps.config);

  const token = generateKey();
  const sealed = sealToken(token, userId, deps);
  const isFirst = known
    ? await exchangeSealedToken(known.digest, sealed, deps.db)
    : await insertSealedToken(sealed, deps.db);
  return isFirst ? token : getOrCreateToken(userId, deps);
}

/** Ends the user's token and makes a new one (`drf_create_token --reset`). */
export async function resetToken(userId: number, deps: Deps): Promise<string> {
  const token = generateKey();
  await replaceSealedToken(sealToken(token, userId, deps), deps.db);
  return token;
}

const canBeTold = ({ key_id }: SealedToken, { config }: Deps): boolean =>
  key_id === sealingKey(config).id;

/**
 * The token of a user whose password was just verified; undefined if the account changed since. A changed password
 * has ended the token: a request that was let in before must not be told the next one.
 */
export async function obtainToken(user: User, deps: Deps): Promise<string | undefined> {
  const known = await findTokenOf(user, deps.db);
  if (known && canBeTold(known, deps)) return openToken(known, deps.config);
  return deps.db.transaction(async (trx) =>
    (await holdAccount(user, trx)) ? getOrCreateToken(user.id, { ...deps, db: trx }) : undefined,
  );
}

/** Another token for a user who was just authenticated; undefined if the account changed since. */
export async function rotateToken(user: Account, deps: Deps): Promise<string | undefined> {
  const token = generateKey();
  const isGiven = await replaceTokenOf(user, sealToken(token, user.id, deps), deps.db);
  return isGiven ? token : undefined;
}
