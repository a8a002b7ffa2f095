import { contractDocument } from '../../src/contract.ts';
import { operationAt } from './contract.ts';

/** Of what a run has seen, how much of what there is to see. */
export interface Coverage {
  line: string;
  missing: string[];
}

/** A documented answer by name: `login 200 application/json`, `endSession 204`. */
const nameOf = (operationId: string, status: number | string, type: string | null): string =>
  [operationId, status, ...(type === null ? [] : [type])].join(' ');

/** Which documented answer came over the wire. A HEAD shows no body, and so it shows none. */
export function answerSeen(
  method: string,
  target: string,
  { status, headers }: { status: number; headers: Headers },
): string | undefined {
  const operation = method === 'HEAD' ? undefined : operationAt(method, target);
  return operation && nameOf(operation.operationId, status, headers.get('Content-Type'));
}

interface Response {
  $ref?: string;
  content?: object;
}
interface Operation {
  operationId?: string;
  responses?: Record<string, Response>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Response> };
}

/** All answers that the contract documents: of each operation, each status in each media type. */
export function documentedAnswers(): string[] {
  const { paths, components } = contractDocument() as Document; // linted when it was bundled
  const operations = Object.values(paths).flatMap((item) => Object.values(item));
  return operations.flatMap(({ operationId, responses = {} }) =>
    Object.entries(responses).flatMap(([status, response]) => {
      const shared = components.responses[response.$ref?.split('/').at(-1) ?? ''];
      const { content } = shared ?? response;
      const types = content ? Object.keys(content) : [null];
      return types.map((type) => nameOf(operationId ?? '', status, type));
    }),
  );
}

export function coverageOf(seen: ReadonlySet<string>, documented = documentedAnswers()): Coverage {
  const missing = documented.filter((name) => !seen.has(name));
  const met = documented.filter((name) => seen.has(name));
  const operations = share(countOperations(met), countOperations(documented));
  const responses = share(met.length, documented.length);
  const line = `contract coverage: ${operations} operations, ${responses} documented responses`;
  return { line, missing };
}

const countOperations = (names: string[]): number =>
  new Set(names.map((name) => name.split(' ')[0])).size;

const share = (part: number, whole: number): string => `${part}/${whole}`;
