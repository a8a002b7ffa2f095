import { globSync, readFileSync } from 'node:fs';
import { contractDocument } from '../../src/contract.ts';

interface Paths {
  paths: Record<string, Record<string, { operationId?: string }>>;
}

/** The operations of the contract. */
export const operationIds = Object.values((contractDocument() as Paths).paths).flatMap((item) =>
  Object.values(item).flatMap(({ operationId }) => operationId ?? []),
);

/** Those of them for which generated code has a function or a file of that name, written as its language does. */
export function findOperations(pattern: string): string[] {
  const files = globSync(pattern);
  const text = [...files, ...files.map((file) => readFileSync(file, 'utf8'))].join('\n');
  return operationIds.filter((id) => {
    const snake = id.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const pascal = id.replace(/^./, (letter) => letter.toUpperCase());
    return new RegExp(`\\b(${id}|${snake}|${pascal})(\\(|:|\\.py$)`, 'm').test(text);
  });
}
