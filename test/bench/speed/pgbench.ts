import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { startDatabaseProxy } from '../database-proxy.ts';
import { postgresBinary } from '../postgres.ts';
import { createScope } from '../scope.ts';
import type { Scope } from '../scope.ts';
import { readExecutions } from '../statements.ts';
import type { Execution } from '../statements.ts';
import { claimsOf } from '../sessions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { onCore } from './cores.ts';
import { askOnce } from './lanes.ts';
import type { Lane } from './lanes.ts';
import { makeRefreshTokens } from './refresh-tokens.ts';
import { startLatchkey } from './servers.ts';
import type { Stage } from './stage.ts';

const run = promisify(execFile);

export const PGBENCH = 'pgbench, the same statement';

// As many as the service has connections.
const CLIENTS = 10;
// Each client rotates its own in turn, so that none waits for another.
const FAMILIES_EACH = 2000;

/**
 * pgbench with the very statement by which the service rotates, as it was seen on the wire: what is left for a
 * service that costs nothing.
 */
export async function pgbenchLane(stage: Stage, scope: Scope): Promise<Lane> {
  const seen = await seenRotation(stage, scope);
  const script = path.join(temporaryDirectory(), 'rotation.sql');
  writeFileSync(script, pgbenchScript(seen));
  chmodSync(script, 0o644);
  const { db } = stage.deps;
  const [user] = stage.users;
  if (!user) throw new Error('the stage has no users');
  return {
    label: PGBENCH,
    measure: async (seconds) => {
      await db('token_family').where('id', '<', LAST_FAMILY).delete();
      await db.raw(FAMILIES, { user: user.id, count: CLIENTS * FAMILIES_EACH });
      const options = ['-n', '-M', 'prepared', '-c', String(CLIENTS), '-T', String(seconds)];
      const args = [...options, '-D', 'g=-1', '-f', script, stage.url];
      const { stdout } = await run(...onCore('load', postgresBinary('pgbench'), args));
      const { rate, transactions } = readPgbench(stdout);
      const rotations = await db('token_family')
        .where('id', '<', LAST_FAMILY)
        .sum<{ done: string }[]>('generation as done');
      if (Number(rotations[0]?.done) !== transactions)
        throw new Error(`pgbench has won ${rotations[0]?.done} of ${transactions} rotations`);
      return { rate };
    },
  };
}

// Of 1970, and so before all that services make.
const LAST_FAMILY = '00000000-0000-7fff-ffff-ffffffffffff';
const FAMILIES = `
  INSERT INTO token_family (id, user_id, token_version, current_jti, created_at, expires_at)
  SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, id, token_version, 'j0', now(),
    now() + interval '1 day'
  FROM users, generate_series(0, :count::int - 1) AS n WHERE id = :user`;

/** The rotation of one token by a service of its own, seen on its way to the database. */
async function seenRotation(stage: Stage, scope: Scope): Promise<SeenRotation> {
  const own = createScope();
  scope.onClose(own.close);
  const executions: Execution[] = [];
  const proxy = await startDatabaseProxy(stage.url, own, () =>
    readExecutions((execution) => void executions.push(execution)),
  );
  const server = await startLatchkey(proxy.url, { ROTATE_REFRESH_TOKENS: 'true' }, own);
  const [refresh = ''] = await makeRefreshTokens(1, stage);
  await askOnce(server, { method: 'POST', path: '/refresh_token/', json: { refresh } }, 200);
  await own.close();

  const { sid, jti } = claimsOf(refresh);
  const rotation = executions.find(({ values }) => values.includes(sid) && values.includes(jti));
  if (!rotation) throw new Error('the rotation was not seen');
  const meant = (value: string | null): Meant => {
    if (value === sid) return 'family';
    if (value === jti) return 'jti';
    return value !== null && JTI.test(value) ? 'child' : { constant: value };
  };
  return { text: rotation.text, values: rotation.values.map(meant) };
}

const JTI = /^[0-9a-f]{32}$/;

type Meant = 'family' | 'jti' | 'child' | { constant: string | null };

interface SeenRotation {
  text: string;
  values: Meant[];
}

// :g counts the transactions of a client; the k-th rotation of the n-th family makes j(k + 1) of j(k).
const WRITTEN = {
  family: `('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid`,
  jti: `('j' || :k::text)`,
  child: `('j' || (:k::integer + 1)::text)`,
};

function pgbenchScript({ text, values }: SeenRotation): string {
  const written = values.map((value) =>
    typeof value === 'string' ? WRITTEN[value] : literal(value.constant),
  );
  const statement = text.replaceAll(/\$(\d+)/g, (_, index) => written[Number(index) - 1] ?? 'NULL');
  return [
    String.raw`\set g :g + 1`,
    String.raw`\set n :client_id * ${FAMILIES_EACH} + :g % ${FAMILIES_EACH}`,
    String.raw`\set k :g / ${FAMILIES_EACH}`,
    `${statement};\n`,
  ].join('\n');
}

function literal(value: string | null): string {
  return value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`;
}

/** From what pgbench prints. */
export function readPgbench(output: string): { rate: number; transactions: number } {
  const rate = /^tps = ([\d.]+)/m.exec(output)?.[1];
  const transactions = /^number of transactions actually processed: (\d+)/m.exec(output)?.[1];
  if (rate === undefined || transactions === undefined)
    throw new Error(`pgbench has not told its rate:\n${output}`);
  return { rate: Number(rate), transactions: Number(transactions) };
}
