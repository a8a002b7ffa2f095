import type { Answer } from '../../support/client.ts';
import { valueAt } from './operations.ts';
import type { Link, Operation } from './operations.ts';

export interface Request {
  path: string;
  json?: object | undefined;
}

export type Send = (operation: Operation, request: Request) => Promise<Answer>;

/**
 * A request that should do what its operation is for: the contract's examples, with what a link brings into them from
 * the answer to another request, which is sent for it.
 */
export async function requestFor(
  operation: Operation,
  operations: readonly Operation[],
  send: Send,
): Promise<Request> {
  const source = sourceOf(operation, operations);
  const brought = source ? await follow(source, operations, send) : { parameters: {}, body: {} };
  const parameters = { ...operation.parameters, ...brought.parameters };
  const path = operation.template.replace(/\{(\w+)\}/g, (_, name: string) => {
    return encodeURIComponent(String(parameters[name]));
  });
  return { path, json: operation.body && { ...operation.body, ...brought.body } };
}

interface Source {
  operation: Operation;
  link: Link;
}

// What makes a thing comes before what finds one, for there is none yet.
function sourceOf(operation: Operation, operations: readonly Operation[]): Source | undefined {
  const sources = operations.flatMap((other) =>
    other.links.filter(({ to }) => to === operation.id).map((link) => ({ operation: other, link })),
  );
  return sources.find(({ operation: { method } }) => method === 'POST') ?? sources[0];
}

async function follow(
  { operation, link }: Source,
  operations: readonly Operation[],
  send: Send,
): Promise<Pick<Link, 'parameters' | 'body'>> {
  const request = await requestFor(operation, operations, send);
  const { status, body } = await send(operation, request);
  if (status >= 300) throw new Error(`${operation.id} is a ${status}, and ${link.to} builds on it`);
  const evaluate = (expressions: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(expressions).map(([name, expression]) => {
        const [place, pointer = ''] = expression.split('#');
        const value = valueAt(place === '$request.body' ? request.json : body, pointer);
        return [name, String(value)];
      }),
    );
  return { parameters: evaluate(link.parameters), body: evaluate(link.body) };
}
