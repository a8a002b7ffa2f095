import { setTimeout } from 'node:timers/promises';

/** Waits for what happens in its own time; the test's own time-out ends it. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(5);
}
