/** How a refresh of a token came out; `refused` for one that is bad, or of a session that ended. */
export type RefreshOutcome = 'won' | 'grace' | 'reuse' | 'expired' | 'refused';

/** What a request can be counted by. Never a path, a user or a text of the caller: those have no end. */
export interface Metrics {
  /** `operation` is an operationId of the contract; undefined for pages outside it. */
  request: (operation: string | undefined, status: number, seconds: number) => void;
  refresh: (outcome: RefreshOutcome) => void;
  swept: (rows: Readonly<Record<string, number>>) => void;
}

/** Where nobody asks for metrics, none are kept. */
export const NO_METRICS: Metrics = {
  request: () => {},
  refresh: () => {},
  swept: () => {},
};
