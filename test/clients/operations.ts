import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { contractDocument } from '../../src/contract.ts';

interface Paths {
  paths: Record<string, Record<string, { operationId?: string }>>;
}

/** The operations of the contract. */
export const operationIds = Object.values((contractDocument() as Paths).paths).flatMap((item) =>
  Object.values(item).flatMap(({ operationId }) => operationId ?? []),
);

/** Those of them for which generated code has a function, or a file, of that name in whatever case. */
export function findOperations(directory: string): string[] {
  const names = globSync('**/*.{ts,py,go,java}', { cwd: directory });
  const texts = names.map((name) => readFileSync(path.join(directory, name), 'utf8'));
  const text = [...names, ...texts].join('\n');
  return operationIds.filter((id) => {
    const snake = id.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return new RegExp(
      `\\b(${snake}|${id}|${id[0]?.toUpperCase()}${id.slice(1)})(\\(|:|\\.py\\b)`,
    ).test(text);
  });
}
