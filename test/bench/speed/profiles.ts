import type { HeapProfiler, Profiler } from 'node:inspector';

/** What a function has used by itself, without those it has called. */
export interface Share {
  /** The package, the file of ours, or the part of Node. */
  place: string;
  name: string;
  amount: number;
}

const SHOWN_PLACES = 15;
const SHOWN_FUNCTIONS = 30;

interface Frame {
  functionName: string;
  url: string;
  lineNumber: number;
}

/** Microseconds. */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Share[] {
  const times = new Map<number, number>();
  for (const [index, id] of samples.entries())
    times.set(id, (times.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  return nodes
    .filter(({ callFrame }) => callFrame.functionName !== '(idle)')
    .map(({ id, callFrame }) => shareOf(callFrame, times.get(id) ?? 0));
}

/** Bytes. */
export function allocations({ head }: Pick<HeapProfiler.SamplingHeapProfile, 'head'>): Share[] {
  const called = head.children.flatMap((child) => allocations({ head: child }));
  return [shareOf(head.callFrame, head.selfSize), ...called];
}

function shareOf({ functionName, url, lineNumber }: Frame, amount: number): Share {
  const place = placeOf(url, functionName);
  const name = functionName || '(anonymous)';
  return { place, name: url === '' ? name : `${name} :${lineNumber + 1}`, amount };
}

function placeOf(url: string, functionName: string): string {
  const packages = url.split('node_modules/').slice(1);
  const within = packages.at(-1);
  if (within !== undefined) return /^(@[^/]+\/)?[^/]+/.exec(within)?.[0] ?? within;
  if (url.startsWith('node:')) return url;
  if (url === '') return /^\(.*\)$/.test(functionName) ? functionName : '(native)';
  return /\/((?:src|generated|test)\/.*)$/.exec(url)?.[1] ?? url;
}

/** Places and functions with the most of it, for each of `requests`. */
export function summary(title: string, shares: readonly Share[], requests: number): string {
  const total = shares.reduce((sum, { amount }) => sum + amount, 0);
  const line = (amount: number, text: string): string =>
    `${(amount / requests).toFixed(1).padStart(10)} ${((100 * amount) / total).toFixed(1).padStart(5)} %  ${text}`;
  const top = (keyOf: (share: Share) => string, count: number): string[] =>
    [...Map.groupBy(shares, keyOf)]
      .map(([key, group]) => ({ key, amount: group.reduce((sum, one) => sum + one.amount, 0) }))
      .toSorted((a, b) => b.amount - a.amount)
      .slice(0, count)
      .map(({ key, amount }) => line(amount, key));
  return [
    `${title}: ${(total / requests).toFixed(1)}, of ${requests.toLocaleString('en')} requests`,
    '',
    ...top(({ place }) => place, SHOWN_PLACES),
    '',
    ...top(({ place, name }) => `${place} ${name}`, SHOWN_FUNCTIONS),
    '',
  ].join('\n');
}
