import { getOrCreateToken } from '../../../src/authtoken/tokens.ts';
import { seed } from '../../../src/commands/seed.ts';
import type { User } from '../../../src/db.ts';
import type { RequestDeps } from '../../../src/deps.ts';
import { startPostgres } from '../postgres.ts';
import type { Scope } from '../scope.ts';
import { openDatabase } from '../service.ts';
import { createUsers, openSessions } from '../sessions.ts';
import type { Session } from '../sessions.ts';
import { CONTENDERS, isInstalled } from './contenders.ts';
import type { ContenderName } from './contenders.ts';
import { prepareDrf } from './drf.ts';
import { LONG_LIVED, startContender, startLatchkey } from './servers.ts';
import type { Server } from './servers.ts';

const PRODUCTS = 10_000;
const USERS = 100;
const SESSIONS = 1_000;

/** What all contenders of a run have in common. */
export interface Stage {
  url: string;
  deps: RequestDeps;
  latchkey: Server;
  users: User[];
  /** Of the users in turn; as many as clients may be about at a time. */
  sessions: Session[];
  /** Opaque ones, one for each user. */
  tokens: string[];
  /** Started when it is first asked for, and there until the end. Undefined where it is not installed. */
  contender: (name: ContenderName) => Promise<Server | undefined>;
  /** Labels of those that were not there. */
  missing: () => string[];
}

async function startPrepared(name: ContenderName, url: string, scope: Scope): Promise<Server> {
  if (name === 'drf') await prepareDrf(url, 1);
  return startContender(name, url, scope);
}

export async function openSpeedStage(scope: Scope): Promise<Stage> {
  const url = await startPostgres(scope, 'load');
  const deps = await openDatabase(url, LONG_LIVED, scope);
  const users = await createUsers(USERS, deps);
  await seed({ products: PRODUCTS }, deps);
  const [sessions, tokens] = await Promise.all([
    openSessions(SESSIONS, users, deps),
    Promise.all(users.map(({ id }) => getOrCreateToken(id, deps))),
  ]);
  const latchkey = await startLatchkey(url, {}, scope);

  const started = new Map<ContenderName, Promise<Server>>();
  const missing = new Set<string>();
  const contender = async (name: ContenderName): Promise<Server | undefined> => {
    if (!isInstalled(name)) {
      missing.add(CONTENDERS[name].label);
      return undefined;
    }
    const server = started.get(name) ?? startPrepared(name, url, scope);
    started.set(name, server);
    return server;
  };
  return { url, deps, latchkey, users, sessions, tokens, contender, missing: () => [...missing] };
}
