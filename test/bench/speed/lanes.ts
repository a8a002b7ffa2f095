import { exchange } from '../http-client.ts';
import { cpuMicrosOf } from './process-group.ts';
import type { Server } from './servers.ts';
import { load } from './wrk.ts';
import type { Asked } from './wrk.ts';

/** What one run of one contender has shown. */
export interface Sample {
  /** A second. */
  rate: number;
  /** Milliseconds. */
  p50?: number;
  p99?: number;
  /** Of the server's processes, for each request. */
  cpuMicros?: number;
}

/** A contender at a work. */
export interface Lane {
  label: string;
  measure: (seconds: number) => Promise<Sample>;
}

export const CONNECTIONS = 64;

/** Asks for the same again and again. */
export function httpLane(
  { label, origin, group }: Server,
  requests: readonly Asked[],
  { connections = CONNECTIONS, name = label } = {},
): Lane {
  return {
    label: name,
    measure: (seconds) =>
      sampled(name, group, () => load({ origin, requests, connections, seconds })),
  };
}

/** Asks for each once; `prepare` makes what the next run needs. */
export function onceLane(
  { label, origin, group }: Server,
  prepare: (seconds: number) => Promise<Asked[]>,
): Lane {
  return {
    label,
    measure: async (seconds) => {
      const requests = await prepare(seconds);
      const asked = { origin, requests, once: true, connections: CONNECTIONS, seconds };
      return sampled(label, group, () => load(asked));
    },
  };
}

async function sampled(
  label: string,
  group: number,
  run: () => Promise<{ requests: number; rate: number; p50: number; p99: number }>,
): Promise<Sample> {
  const before = cpuMicrosOf(group);
  try {
    const { requests, rate, p50, p99 } = await run();
    return { rate, p50, p99, cpuMicros: (cpuMicrosOf(group) - before) / requests };
  } catch (error) {
    throw new Error(`${label}: there is no result`, { cause: error });
  }
}

/** One answer, to see that it is the one that is due. */
export async function askOnce(
  { origin, label }: Server,
  { method = 'GET', path, headers, json }: Asked,
  due: number,
): Promise<string> {
  const { status, text } = await exchange(origin, path, { method, headers, json });
  if (status !== due) throw new Error(`${label} answers ${status} and not ${due}: ${text}`);
  return text;
}

interface Listed {
  created_at: string;
  updated_at: string;
}

/**
 * Throws unless all list the same products. The order of members and the spelling of a time are each one's own; both
 * say the same.
 */
export function requireSameResults(answers: readonly { label: string; text: string }[]): void {
  const [first, ...others] = answers.map(({ label, text }) => ({
    label,
    results: resultsIn(text),
  }));
  if (first === undefined || first.results === '[]') throw new Error('there is nothing to compare');
  for (const { label, results } of others)
    if (results !== first.results)
      throw new Error(
        `${label} lists other products than ${first.label}:\n${results}\n${first.results}`,
      );
}

function resultsIn(text: string): string {
  const { results } = JSON.parse(text) as { results: Listed[] }; // of a 200
  const instants = results.map((one) => ({
    ...one,
    created_at: Date.parse(one.created_at),
    updated_at: Date.parse(one.updated_at),
  }));
  return JSON.stringify(instants.map((one) => Object.entries(one).toSorted(byName)));
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
