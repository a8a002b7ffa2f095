import { startDatabaseProxy } from '../database-proxy.ts';
import { createScope } from '../scope.ts';
import { countStatements } from '../statements.ts';
import type { StatementCounts } from '../statements.ts';
import { inTurn } from '../turns.ts';
import { askOnce } from './lanes.ts';
import { startLatchkey } from './servers.ts';
import type { Stage } from './stage.ts';
import type { Work } from './work.ts';

const REQUESTS = 20;
// Seen by then: users, tokens, and whatever is remembered.
const FIRST = 5;

/** Statements that Latchkey executes for a request, by a proxy that reads what it sends; undefined: not to be told. */
export async function queriesPerRequest({ asks }: Work, stage: Stage): Promise<number | undefined> {
  if (!asks) return undefined;
  const scope = createScope();
  try {
    const counts: StatementCounts = new Map();
    const proxy = await startDatabaseProxy(stage.url, scope, () => countStatements(counts));
    const server = await startLatchkey(proxy.url, asks.settings ?? {}, scope);
    const requests = await asks.requests(stage, FIRST + REQUESTS);
    // The same caller again, except where a request can be sent once only.
    const next = (index: number) => inTurn(asks.once ? requests : requests.slice(0, FIRST), index);
    const ask = async (from: number, count: number): Promise<void> => {
      for (let index = from; index < from + count; index += 1)
        await askOnce(server, next(index), asks.due);
    };
    await ask(0, FIRST);
    counts.clear();
    await ask(FIRST, REQUESTS);
    // What the process does by itself comes now and then, and never twenty times in this short while.
    const caused = [...counts.values()].map((count) => Math.floor(count / REQUESTS));
    return caused.reduce((sum, count) => sum + count, 0);
  } finally {
    await scope.close();
  }
}
