import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { OperationId } from '../contract.ts';
import type { Deps } from '../deps.ts';
import { IdempotencyConflict, IdempotencyKeyReused } from '../errors.ts';
import { findAnswer, keepAnswer, tryToHold } from './repository.ts';

/** Of an operation that declares the header. */
interface RepeatableRequest {
  headers: { 'Idempotency-Key'?: string };
  params: object;
  body: object;
  user: { id: number };
}

interface Answer<Status, Body> {
  status: Status;
  body: Body;
  headers?: { 'Idempotency-Replayed': 'true' | 'false' };
}

/**
 * Answers the first request of a key, and each later one with the same. What `answer` does and what it says are
 * committed together, so that no crash can lose or double either; where it throws, the key is as good as new.
 */
export async function answerOnce<Status extends number, Body>(
  operation: OperationId,
  { headers, params, body: sent, user }: RepeatableRequest,
  answer: (db: Knex) => Promise<Answer<Status, Body>>,
  { config, db, now }: Deps,
): Promise<Answer<Status, Body>> {
  // A quoted key is the same as a bare one.
  const key = headers['Idempotency-Key']?.replaceAll('"', '');
  if (key === undefined) return answer(db);
  const scope = { user_id: user.id, operation, key };
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([params, sent]))
    .digest();
  return db.transaction(async (trx) => {
    if (!(await tryToHold(scope, trx))) throw new IdempotencyConflict();
    const time = now();
    const kept = await findAnswer<Status, Body>(scope, time, trx);
    if (kept && !kept.fingerprint.equals(fingerprint)) throw new IdempotencyKeyReused();
    if (kept) return answered(kept, 'true');

    const first = answered(await answer(trx), 'false');
    const { status, body } = first;
    const expires_at = new Date(time.getTime() + config.IDEMPOTENCY_KEY_LIFETIME * 1000);
    const toKeep = { ...scope, fingerprint, status, body, expires_at };
    if (!(await keepAnswer(toKeep, time, trx))) throw new IdempotencyConflict();
    return first;
  });
}

function answered<Status, Body>(
  { status, body }: Answer<Status, Body>,
  replayed: 'true' | 'false',
): Answer<Status, Body> {
  return { status, body, headers: { 'Idempotency-Replayed': replayed } };
}
