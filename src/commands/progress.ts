import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  advanceTo: (value: number) => void;
  stop: () => void;
}

/** A bar on standard error where that is a terminal, and nothing elsewhere. */
export function startProgress(label: string, total: number): Progress {
  const format = `${label} {bar} {percentage}% | {value} of {total} | {eta_formatted} left`;
  // gracefulExit would swallow the Ctrl-C that is meant for the command.
  const options = { format, clearOnComplete: true, gracefulExit: false };
  const bar = new SingleBar(options, Presets.shades_classic);
  if (total > 0) bar.start(total, 0);
  return {
    advanceTo: (value) => {
      // A total that was an estimate grows with what is found.
      if (value > bar.getTotal()) bar.setTotal(value);
      bar.update(value);
    },
    stop: () => bar.stop(),
  };
}
