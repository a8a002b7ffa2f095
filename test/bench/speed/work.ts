import type { Scope } from '../scope.ts';
import type { Settings } from '../service.ts';
import type { ContenderName } from './contenders.ts';
import type { Lane } from './lanes.ts';
import { startLatchkey } from './servers.ts';
import type { Server } from './servers.ts';
import type { Stage } from './stage.ts';
import type { Asked } from './wrk.ts';

/** What is asked of contenders side by side. */
export interface Work {
  name: string;
  title: string;
  /** Of each run. */
  seconds: number;
  /** What Latchkey is asked, for whoever wants to look at it alone. */
  asks?: Asks;
  /** Latchkey's lane is the first. What is started for this work alone ends with its scope. */
  open: (stage: Stage, scope: Scope) => Promise<Lane[]>;
}

export interface Asks {
  /** Where they are not the defaults. */
  settings?: Settings;
  /** The status of every answer. */
  due: number;
  /** Each request can be sent once only, and there have to be `count` of them. */
  once?: boolean;
  requests: (stage: Stage, count: number) => Promise<Asked[]>;
}

export const LATCHKEY = 'Latchkey';

export async function latchkeyFor({ settings }: Asks, stage: Stage, scope: Scope): Promise<Server> {
  return settings === undefined ? stage.latchkey : startLatchkey(stage.url, settings, scope);
}

/** Those that are installed. */
export async function contenders(stage: Stage, names: readonly ContenderName[]): Promise<Server[]> {
  const servers: Server[] = [];
  for (const name of names) {
    const server = await stage.contender(name);
    if (server) servers.push(server);
  }
  return servers;
}

export const bearer = ({ access }: { access: string }): Record<string, string> => ({
  Authorization: `Bearer ${access}`,
});
