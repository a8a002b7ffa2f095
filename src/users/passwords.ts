import { createHash, timingSafeEqual } from 'node:crypto';
import bcrypt from 'bcrypt';
import type { Config } from '../config.ts';
import { isStorable } from '../text.ts';
import { inHashingSlot } from './bulkhead.ts';
import { readImportedHash } from './imported-hashes.ts';
import type { RecordedHash } from './imported-hashes.ts';

export interface Verification {
  matches: boolean;
  /** Another algorithm, a lower cost or another spelling than `hashPassword` would use today. */
  outdated: boolean;
}

type Cost = Pick<Config, 'BCRYPT_ROUNDS'>;

interface ReadableHash extends RecordedHash {
  /** bcrypt's cost; undefined for another algorithm. */
  rounds?: number;
  outdated: boolean;
}

const BCRYPT =
  /^(?<algorithm>bcrypt_sha256|bcrypt)\$\$2[aby]\$(?<rounds>\d\d)\$(?<salt>[./A-Za-z0-9]{22})(?<digest>[./A-Za-z0-9]{31})$/;

// What an import may demand: 2^16 rounds take 3 s. Our own hashes may cost more, if so configured.
const MAX_IMPORTED_ROUNDS = 16;
const MIN_ROUNDS = 4;
const SALT_OF_NOBODY = 'latchkeylatchkeylatchO';

/** Django's `bcrypt_sha256$`: bcrypt of the hex SHA-256, since bcrypt ignores what follows byte 72. */
export async function hashPassword(password: string, config: Cost): Promise<string> {
  const encoded = await inHashingSlot(() =>
    bcrypt.hash(sha256(password.normalize('NFKC')), config.BCRYPT_ROUNDS),
  );
  return `bcrypt_sha256$${encoded}`;
}

/**
 * Never throws for what is stored, and takes as long for a hash that cannot be read (or is unusable: `!…`)
 * as for one of ours.
 */
export async function verifyPassword(
  password: string,
  encoded: string,
  config: Cost,
): Promise<Verification> {
  const hash = isStorable(password) ? readHash(encoded, config) : undefined;
  return inHashingSlot(async () => {
    for (const [index, spelling] of spellings(password).entries()) {
      if (await check(spelling, hash, config))
        return { matches: true, outdated: hash?.outdated === true || index > 0 };
    }
    return { matches: false, outdated: false };
  });
}

/** Costs what `verifyPassword` costs for a wrong password: for accounts that are not there or not active. */
export async function pretendToVerify(password: string, config: Cost): Promise<void> {
  await verifyPassword(password, '!', config);
}

// We hash the NFKC form. Django hashes what was typed, under the same name, so that both are tried where
// they differ: a number of checks that depends on the guess, never on the account.
function spellings(password: string): string[] {
  return [...new Set([password.normalize('NFKC'), password])];
}

function readHash(encoded: string, config: Cost): ReadableHash | undefined {
  const fields = BCRYPT.exec(encoded)?.groups;
  if (!fields) {
    const imported = readImportedHash(encoded);
    return imported && { ...imported, outdated: true };
  }
  const { algorithm, salt = '', digest = '' } = fields;
  const rounds = Number(fields.rounds);
  if (rounds < MIN_ROUNDS || rounds > Math.max(MAX_IMPORTED_ROUNDS, config.BCRYPT_ROUNDS))
    return undefined;
  const hashesDigest = algorithm === 'bcrypt_sha256';
  return {
    rounds,
    outdated: !hashesDigest || rounds < config.BCRYPT_ROUNDS,
    digest: Buffer.from(digest),
    derive: (password) =>
      deriveBcrypt(hashesDigest ? sha256(password) : password, { rounds, salt }),
  };
}

async function check(
  password: string,
  hash: ReadableHash | undefined,
  config: Cost,
): Promise<boolean> {
  const start = performance.now();
  const derived = await hash?.derive(password);
  const matches = hash && derived ? timingSafeEqual(derived, hash.digest) : false;
  if (!matches) await topUp(shareOfFullCheck(hash, performance.now() - start, config), config);
  return matches;
}

// How long bcrypt took most recently, by cost: what the work of another algorithm is measured by.
const lastDuration = new Map<number, number>();

function shareOfFullCheck(
  hash: ReadableHash | undefined,
  milliseconds: number,
  config: Cost,
): number {
  if (!hash) return 0;
  if (hash.rounds !== undefined) return 2 ** (hash.rounds - config.BCRYPT_ROUNDS);
  return milliseconds / (lastDuration.get(config.BCRYPT_ROUNDS) ?? Infinity);
}

// Spends what a refusal has saved so far, so that its time does not tell which accounts exist or came
// from an import. Each round of bcrypt less is half the work.
async function topUp(spent: number, config: Cost): Promise<void> {
  for (let rounds = config.BCRYPT_ROUNDS; rounds >= MIN_ROUNDS; rounds -= 1) {
    const share = 2 ** (rounds - config.BCRYPT_ROUNDS);
    if (spent + share > 1) continue;
    spent += share;
    await deriveBcrypt(sha256(''), { rounds, salt: SALT_OF_NOBODY });
    if (spent === 1) return;
  }
}

// By bcrypt.hash, since bcrypt.compare doesn't know `$2y$`, takes `$2a$` for the broken variant of
// long passwords, and doesn't promise constant time.
async function deriveBcrypt(
  data: string,
  { rounds, salt }: { rounds: number; salt: string },
): Promise<Buffer> {
  const start = performance.now();
  const cost = String(rounds).padStart(2, '0');
  const encoded = await bcrypt.hash(data, `$2b$${cost}$${salt}`);
  lastDuration.set(rounds, performance.now() - start);
  return Buffer.from(encoded.slice(-31));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
