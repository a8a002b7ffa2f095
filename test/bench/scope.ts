/** What was started for a figure: stopped in the reverse order when it ends, fails or is interrupted. */
export interface Scope {
  onClose: (stop: () => unknown) => void;
  close: () => Promise<void>;
}

export function createScope(): Scope {
  const stops: (() => unknown)[] = [];
  let closing: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    for (let stop = stops.pop(); stop; stop = stops.pop()) await stop();
  };
  return {
    onClose: (stop) => void stops.push(stop),
    close: () => (closing ??= stopAll()),
  };
}
