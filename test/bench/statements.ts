// What of the PostgreSQL protocol (version 3) a counter of statements has to read: messages of a type, a
// length that counts itself, and a body. The first of a connection has no type.

const HEAD = 5;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

/** How often each statement was executed. */
export type StatementCounts = Map<string, number>;

export interface Execution {
  text: string;
  /** As they were sent; null for NULL. */
  values: (string | null)[];
}

/** Counts what one connection executes, from the bytes that its client sends. */
export function countStatements(counts: StatementCounts): (chunk: Buffer) => void {
  return readExecutions(({ text }) => void counts.set(text, (counts.get(text) ?? 0) + 1));
}

/** Tells of each statement that one connection executes, from the bytes that its client sends. */
export function readExecutions(tell: (execution: Execution) => void): (chunk: Buffer) => void {
  const prepared = new Map<string, string>();
  const portals = new Map<string, Execution>();
  const read = (type: string, body: Buffer): void => {
    const [first = '', second = ''] = body.toString('utf8').split('\0', 2);
    if (type === 'Q') tell({ text: first, values: [] });
    if (type === 'P') prepared.set(first, second);
    if (type === 'B')
      portals.set(first, {
        text: prepared.get(second) ?? 'unknown',
        values: readValues(body.subarray(Buffer.byteLength(first) + Buffer.byteLength(second) + 2)),
      });
    if (type === 'E') tell(portals.get(first) ?? { text: 'unknown', values: [] });
  };

  let rest = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const lengthAt = isStarted ? 1 : 0;
      if (rest.length < lengthAt + 4) return;
      const length = lengthAt + rest.readInt32BE(lengthAt);
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (isStarted) read(String.fromCharCode(message[0] ?? 0), message.subarray(HEAD));
      // Both ask for encryption before the real start.
      else isStarted = ![SSL_REQUEST, GSS_REQUEST].includes(message.readInt32BE(4));
    }
  };
}

// Of a Bind: the formats, the number of values, and each with its length before it.
function readValues(body: Buffer): (string | null)[] {
  let at = 2 + 2 * body.readInt16BE(0);
  const count = body.readInt16BE(at);
  at += 2;
  return Array.from({ length: count }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length === -1) return null;
    at += length;
    return body.toString('utf8', at - length, at);
  });
}
