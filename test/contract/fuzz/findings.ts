import { contractDocument } from '../../../src/contract.ts';
import type { Fuzzed } from './fuzzer.ts';

/** What is wrong with the service, the contract or the run itself; nothing if all is well. */
export function findingsOf(runs: Fuzzed[]): string[] {
  const found = runs.flatMap(({ name, failures, errors, complete }) =>
    [
      ...failures.map(({ code, title, operations }) => `${code} ${title}: ${operations.join()}`),
      ...errors.map(({ title, count }) => `${title} (${count})`),
      ...(complete ? [] : ['the run was cut short']),
    ].map((finding) => `${name}: ${finding}`),
  );
  return [...found, ...unreached(runs)];
}

/** Requests that were all refused have shown little. */
function unreached(runs: Fuzzed[]): string[] {
  return [...Map.groupBy(runs, ({ scheme }) => scheme)].flatMap(([scheme, group]) => {
    const requests = group.flatMap((run) => run.requests);
    const operations = new Set(requests.map(({ operation }) => operation));
    operations.delete('other methods');
    for (const { operation, status } of requests) if (status < 300) operations.delete(operation);
    return [...operations].map((operation) => `${scheme}: ${operation} has never succeeded`);
  });
}

interface Documented {
  operationId: string;
  responses: Record<string, { links?: Record<string, { $ref: string }> }>;
}
interface Document {
  paths: Record<string, Record<string, Documented>>;
  components: { links: Record<string, { operationId: string }> };
}

/** The links that the contract declares, as Schemathesis calls them. */
export function declaredLinks(): string[] {
  const { paths, components } = contractDocument() as Document;
  const labels = new Map(
    Object.entries(paths).flatMap(([template, item]) =>
      Object.entries(item).map(([method, { operationId }]) => {
        return [operationId, `${method.toUpperCase()} ${template}`] as const;
      }),
    ),
  );
  return Object.values(paths).flatMap((item) =>
    Object.values(item).flatMap(({ operationId, responses = {} }) =>
      Object.entries(responses).flatMap(([status, { links = {} }]) =>
        Object.entries(links).map(([name, { $ref }]) => {
          const target = components.links[$ref.split('/').at(-1) ?? '']?.operationId ?? '';
          return `${labels.get(operationId)} -> [${status}] ${name} -> ${labels.get(target)}`;
        }),
      ),
    ),
  );
}
