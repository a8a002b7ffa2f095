import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/eventually.ts';
import { exchange } from '../bench/http-client.ts';
import type { RawAnswer, RequestOptions } from '../bench/http-client.ts';
import type { Replica } from '../bench/service.ts';
import type { Scope } from '../bench/scope.ts';

/** What a load balancer does: asks replicas for /readyz, and sends requests to those that are ready, in turn. */
export interface Balancer {
  send: (path: string, options?: RequestOptions) => Promise<RawAnswer>;
  /** Resolves when it sends requests to all of them. */
  hasAll: () => Promise<void>;
}

const LOOK_MS = 200;

export function createBalancer(replicas: readonly Replica[], scope: Scope): Balancer {
  const ready = new Set(replicas);
  let isOver = false;
  const look = async (replica: Replica): Promise<void> => {
    while (!isOver) {
      const status = await exchange(replica.origin, '/readyz').then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) ready.add(replica);
      else ready.delete(replica);
      await pause(LOOK_MS);
    }
  };
  const looking = Promise.all(replicas.map(look));
  scope.onClose(async () => {
    isOver = true;
    await looking;
  });

  let turn = 0;
  return {
    hasAll: () => until(() => ready.size === replicas.length),
    send: async (path, options) => {
      const [first, second] = rotated([...ready], (turn += 1));
      if (!first) throw new Error('no replica is ready');
      try {
        return await exchange(first.origin, path, options);
      } catch (error) {
        // Nothing was sent: any load balancer takes another one.
        const isRefused =
          error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
        if (!isRefused || !second) throw error;
        return exchange(second.origin, path, options);
      }
    },
  };
}

const rotated = <Item>(items: Item[], by: number): Item[] => {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
};
