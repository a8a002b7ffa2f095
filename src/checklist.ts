export interface Checklist {
  problems: string[];
  failed: Set<string>;
  /** What `read` throws becomes a problem of the setting, which is not asked again. */
  attempt: <Value>(name: string, read: () => Value) => Value | undefined;
}

export function createChecklist(): Checklist {
  const problems: string[] = [];
  const failed = new Set<string>();
  return {
    problems,
    failed,
    attempt: (name, read) => {
      if (failed.has(name)) return undefined;
      try {
        return read();
      } catch (error) {
        failed.add(name);
        problems.push(`${name} ${error instanceof Error ? error.message : 'is wrong'}`);
        return undefined;
      }
    },
  };
}
