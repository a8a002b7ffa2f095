import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import pLimit from 'p-limit';
import { createAccount } from '../accounts/accounts.ts';
import type { Deps } from '../deps.ts';
import { OperatorError, ValidationError } from '../errors.ts';
import { isStorable } from '../text.ts';
import { hashingSlots } from '../users/bulkhead.ts';
import { hashPassword } from '../users/passwords.ts';
import { continueIds } from '../users/repository.ts';
import { canonicalUsername, normalizeUsername } from '../users/usernames.ts';
import { startProgress } from './progress.ts';

interface Entry {
  id?: number;
  username: string;
  password?: string;
  password_hash?: string;
  email?: string;
  is_active?: boolean;
  is_staff?: boolean;
  is_superuser?: boolean;
  token?: string;
  no_token?: boolean;
}

const SCHEMA = {
  type: 'object',
  required: ['users'],
  properties: {
    users: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['username'],
        properties: {
          id: { type: 'integer', minimum: 1, maximum: 2_147_483_647 },
          username: { type: 'string' },
          password: { type: 'string', minLength: 1 },
          // Stored as it is, so only in text that the column takes.
          password_hash: { type: 'string', maxLength: 256, pattern: '^[ -~]*$' },
          email: { type: 'string', maxLength: 254, pattern: '^\\P{C}*$' },
          is_active: { type: 'boolean' },
          is_staff: { type: 'boolean' },
          is_superuser: { type: 'boolean' },
          token: { type: 'string', pattern: '^[0-9a-fA-F]{40}$' },
          no_token: { type: 'boolean' },
        },
      },
    },
  },
};

const matchesSchema = new Ajv({ allErrors: true }).compile<{ users: Entry[] }>(SCHEMA);

/** Imports users, all or none. Passwords are taken as they are: the rules are for new ones. */
export async function loadData({ file }: { file: string }, deps: Deps): Promise<string> {
  const users = readUsers(await readText(file), file);
  refuseIfAny(users.flatMap(contradictions).concat(repetitions(users)), file);

  const hashes = await hashAll(users, deps);
  await deps.db.transaction(async (trx) => {
    refuseIfAny(await insertAll(users, hashes, { ...deps, db: trx }), file);
    await continueIds(trx);
  });
  return `Loaded ${users.length} user${users.length === 1 ? '' : 's'} from ${file}.`;
}

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = UNREADABLE[code] ?? `it cannot be opened (${code})`;
    throw new OperatorError(`Cannot read ${file}: ${reason}.`, { cause: error });
  }
}

const UNREADABLE: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8',
};

function readUsers(text: string, file: string): Entry[] {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new OperatorError(`Cannot read ${file}: it is not JSON (${error}).`, { cause: error });
  }
  if (matchesSchema(data)) return data.users;
  const problems = (matchesSchema.errors ?? []).map(({ instancePath, message, params }) => {
    const field = params.additionalProperty ? ` ("${params.additionalProperty}")` : '';
    return `${instancePath.slice(1).replaceAll('/', '.') || 'the file'} ${message}${field}`;
  });
  throw refusal(problems, file);
}

const named = ({ username }: Entry, index: number): string => `users.${index} (${username})`;

function contradictions(entry: Entry, index: number): string[] {
  const problems: string[] = [];
  try {
    canonicalUsername(entry.username);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    problems.push(...error.sentences());
  }
  const { password, password_hash, token, no_token } = entry;
  if ((password === undefined) === (password_hash === undefined))
    problems.push('exactly one of password and password_hash is needed');
  if (password !== undefined && !isStorable(password))
    problems.push('password: it holds a null character or half a surrogate pair');
  if (token !== undefined && no_token) problems.push('token and no_token exclude each other');
  return problems.map((problem) => `${named(entry, index)}: ${problem}`);
}

// The database would find these too, but not in both of the entries.
function repetitions(users: Entry[]): string[] {
  const fields = {
    id: ({ id }: Entry) => id,
    username: ({ username }: Entry) => normalizeUsername(username),
    token: ({ token }: Entry) => token,
  };
  return Object.entries(fields).flatMap(([field, read]) => {
    const first = new Map<number | string, number>();
    return users.flatMap((entry, index) => {
      const value = read(entry);
      const earlier = value === undefined ? undefined : first.get(value);
      if (value !== undefined && earlier === undefined) first.set(value, index);
      return earlier === undefined
        ? []
        : [`${named(entry, index)}: ${field} is that of users.${earlier} already`];
    });
  });
}

// Before the transaction, which must not wait for bcrypt; as many at a time as there are slots.
async function hashAll(users: Entry[], { config }: Deps): Promise<string[]> {
  const progress = startProgress('Hashing passwords', users.length);
  let done = 0;
  try {
    return await pLimit(hashingSlots()).map(users, async ({ password, password_hash = '' }) => {
      const hash = password === undefined ? password_hash : await hashPassword(password, config);
      progress.advanceTo((done += 1));
      return hash;
    });
  } finally {
    progress.stop();
  }
}

/** Goes on after a refusal, each account being a savepoint of its own, to find them all. */
async function insertAll(users: Entry[], hashes: string[], deps: Deps): Promise<string[]> {
  const progress = startProgress('Storing users', users.length);
  const problems: string[] = [];
  try {
    for (const [index, entry] of users.entries()) {
      const { password: _plain, password_hash: _hash, no_token, ...fields } = entry;
      const account = {
        ...fields,
        username: canonicalUsername(entry.username),
        password: hashes[index] ?? '',
        ...(no_token && { token: null }),
      };
      await createAccount(account, deps).catch((error: unknown) => {
        problems.push(...conflicts(error).map((problem) => `${named(entry, index)}: ${problem}`));
      });
      progress.advanceTo(index + 1);
    }
    return problems;
  } finally {
    progress.stop();
  }
}

function conflicts(error: unknown): string[] {
  if (error instanceof ValidationError) return error.sentences();
  if (
    error instanceof Error &&
    'constraint' in error &&
    error.constraint === 'authtoken_digest_key'
  )
    return ['token: it belongs to another user'];
  throw error;
}

function refuseIfAny(problems: string[], file: string): void {
  if (problems.length > 0) throw refusal(problems, file);
}

function refusal(problems: string[], file: string): OperatorError {
  const lines = problems.map((problem) => `\n  - ${problem}`).join('');
  return new OperatorError(`Cannot load ${file}, nothing was stored:${lines}`);
}
