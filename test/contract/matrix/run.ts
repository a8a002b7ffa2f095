import type { TestApp } from '../../support/app.ts';
import { callersOf, createAccount, CREDENTIALS } from './callers.ts';
import type { Caller } from './callers.ts';
import { verdictFor } from './expectation.ts';
import type { Settings, Verdict } from './expectation.ts';
import { readOperations } from './operations.ts';
import type { Operation } from './operations.ts';
import { requestFor } from './requests.ts';
import type { Request, Send } from './requests.ts';

export interface Outcome {
  operations: number;
  /** How many cases came out in which way. */
  cases: Record<string, number>;
  wrong: string[];
}

/** Sends every operation of a contract as everybody who may come, and compares with what it says about them. */
export async function runMatrix(
  app: TestApp,
  contract: object,
  settings: Settings,
  isWanted: (operation: Operation) => boolean = () => true,
): Promise<Outcome> {
  const all = readOperations(contract);
  const operations = all.filter(isWanted);
  const callers = callersOf(schemesOf(contract));
  const outcome: Outcome = { operations: operations.length, cases: {}, wrong: [] };
  for (const operation of operations)
    for (const caller of callers) {
      const verdict = verdictFor(operation, caller, settings);
      const status = await statusOf(operation, caller, all, app);
      outcome.cases[verdict] = (outcome.cases[verdict] ?? 0) + 1;
      if (!isAsSaid(verdict, status, caller))
        outcome.wrong.push(`${operation.id}, ${nameOf(caller)}: ${status}, not ${verdict}`);
    }
  return outcome;
}

const nameOf = ({ name, scheme }: Caller): string =>
  scheme === undefined ? name : `${name} by ${scheme}`;

const schemesOf = (contract: object): string[] => {
  const { components } = contract as { components: { securitySchemes: object } };
  return Object.keys(components.securitySchemes);
};

// Whom the contract lets in gets what the operation is for, since another refusal could hide one of these; but what
// is the owner's own may not be there for others.
function isAsSaid(verdict: Verdict, status: number, { isOwner }: Caller): boolean {
  if (verdict !== 'pass') return status === verdict;
  return (status >= 200 && status < 300) || (status === 404 && !isOwner);
}

async function statusOf(
  operation: Operation,
  caller: Caller,
  all: readonly Operation[],
  app: TestApp,
): Promise<number> {
  // Nobody is left of the case before, so that the examples can be sent again and again.
  await app.db('users').del();
  const account = await createAccount(app, caller.fields);
  const owner = caller.isOwner ? account : await createAccount(app, {});
  const sendAsOwner: Send = (other, request) => {
    const isPublic = other.security.every((one) => Object.keys(one).length === 0);
    return send(app, other, request, isPublic ? '' : `Bearer ${owner.session.access}`);
  };
  const request = await requestFor(operation, all, sendAsOwner);

  const known = CREDENTIALS[caller.scheme ?? ''];
  const credentials = caller.isBad ? known?.bad[caller.name] : known?.good;
  const authorization = (await credentials?.(account, app)) ?? '';
  return (await send(app, operation, request, authorization)).status;
}

const send = (
  { client }: TestApp,
  { method }: Operation,
  { path, json }: Request,
  authorization: string,
) => client.request(method, path, { json, ...(authorization !== '' && { authorization }) });
