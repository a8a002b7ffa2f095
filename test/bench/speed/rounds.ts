import type { Lane, Sample } from './lanes.ts';

/** The samples of a lane, one for each round. */
export interface LaneResult {
  label: string;
  samples: Sample[];
}

const WARM_UP_SECONDS = 2;

/** A warm-up each, and then in turn: A B C A B C, so that what the machine does beside meets them all. */
export async function inRounds(
  lanes: readonly Lane[],
  { rounds, seconds, onRun }: { rounds: number; seconds: number; onRun: () => void },
): Promise<LaneResult[]> {
  const results = lanes.map(({ label, measure }) => ({ label, measure, samples: [] as Sample[] }));
  for (const { measure } of results) {
    onRun();
    await measure(WARM_UP_SECONDS);
  }
  for (let round = 0; round < rounds; round += 1)
    for (const { measure, samples } of results) {
      onRun();
      samples.push(await measure(seconds));
    }
  return results.map(({ label, samples }) => ({ label, samples }));
}

/** How many times the other's rate, round by round: neighbours in time were met by the same weather. */
export function ratiosOf(one: LaneResult, other: LaneResult): number[] {
  return one.samples.map(({ rate }, round) => rate / (other.samples[round]?.rate ?? NaN));
}
