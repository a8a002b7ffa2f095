import type { Figure, Finding } from './figure.ts';
import { createScope } from './scope.ts';
import { inRounds, ratiosOf, spreadOf } from './speed/rounds.ts';
import type { LaneResult } from './speed/rounds.ts';
import { openSpeedStage } from './speed/stage.ts';
import { WORKS } from './speed/works.ts';

export const speed: Figure = {
  name: 'speed',
  summary: 'Side by side',
  conditions: '',
  rounds: 5,
  expectedSeconds: 800,
  run: async (rounds, scope) => {
    const stage = await openSpeedStage(scope);
    const findings: Finding[] = [];
    for (const work of WORKS) {
      const own = createScope();
      scope.onClose(own.close);
      const lanes = await work.open(stage, own);
      const results = await inRounds(lanes, {
        rounds,
        seconds: work.seconds,
        onRun: (l) => console.error(work.name, l),
      });
      await own.close();
      findings.push(...results.map((one) => line(one, results[0] ?? one)));
    }
    return findings;
  },
};

function line(one: LaneResult, first: LaneResult): Finding {
  const rate = spreadOf(one.samples.map(({ rate }) => rate));
  const cpu = spreadOf(one.samples.map(({ cpuMicros = 0 }) => cpuMicros));
  const p99 = spreadOf(one.samples.map(({ p99 = 0 }) => p99));
  const ratio = spreadOf(ratiosOf(first, one));
  return {
    what: one.label,
    value: `${rate.median.toFixed(0)} (${rate.min.toFixed(0)}..${rate.max.toFixed(0)}) cpu ${cpu.median.toFixed(0)} p99 ${p99.median.toFixed(1)} ratio ${ratio.median.toFixed(2)}`,
  };
}
