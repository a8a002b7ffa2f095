import type { Context } from 'koa';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { contractCheck } from './contract-check.ts';
import type { SentAnswer } from './contract-check.ts';

const MOST_TOLD = 10;
const RATE_IN_PRODUCTION = 0.01;

/** An answer of ours that the contract does not declare: as much our own fault as a crash. */
class ContractBreach extends Error {}

/**
 * Holds the answers of operations against the contract, refusals included. A breach is logged in production, where
 * callers are better served by what there is, and a 500 elsewhere, so that nobody builds on it.
 */
export function answerCheck(contract: object, config: Config, log: Logger): (ctx: Context) => void {
  const isProduction = config.NODE_ENV === 'production';
  const rate = config.CONTRACT_CHECK_RATE ?? (isProduction ? RATE_IN_PRODUCTION : 1);
  if (rate === 0) return () => {};
  // Compiled at its first use in production, which is in a hurry to serve; the others have compiled it before.
  const check = () => contractCheck(contract, { isLazy: isProduction });
  if (!isProduction) check();
  const breachesOf = (ctx: Context): string[] =>
    check().answer(ctx.state.operationId, ctx.method, answerOf(ctx)).slice(0, MOST_TOLD);
  const isDue = createSample(rate);

  return (ctx) => {
    const { operationId, requestId } = ctx.state;
    // A 500 is told where it comes from, and declared nowhere: nobody is to build on that either.
    if (operationId === undefined || ctx.status === 500) return;
    if (!isDue(`${operationId} ${ctx.status}`)) return;
    const { status } = ctx;
    const breaches = isProduction ? toldBreaches(ctx) : breachesOf(ctx);
    if (breaches.length === 0) return;
    if (!isProduction)
      throw new ContractBreach(`${operationId} ${status} breaks the contract: ${breaches.join()}`);
    log.error({ requestId, operationId, status, breaches }, 'an answer breaks the contract');
  };

  // What has been done is answered as it was, also where it cannot be checked.
  function toldBreaches(ctx: Context): string[] {
    try {
      return breachesOf(ctx);
    } catch (error) {
      const { operationId, requestId } = ctx.state;
      log.error({ err: error, requestId, operationId }, 'an answer could not be checked');
      return [];
    }
  }
}

function answerOf({ status, body, res }: Context): SentAnswer {
  return {
    status,
    headers: { get: (name) => res.getHeader(name)?.toString() ?? null },
    text: typeof body === 'string' ? body : '',
  };
}

// Of each kind the first, and then one of so many: what is rare is looked at too, and nothing beats in time with it.
function createSample(rate: number): (kind: string) => boolean {
  const counts = new Map<string, number>();
  return (kind) => {
    const before = counts.get(kind) ?? 0;
    counts.set(kind, before + 1);
    return Math.ceil((before + 1) * rate) > Math.ceil(before * rate);
  };
}
