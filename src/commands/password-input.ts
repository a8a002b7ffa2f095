import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { generatePassword } from '../users/password-rules.ts';
import { OperatorError } from '../errors.ts';

export interface PasswordInput {
  password: string;
  isGenerated: boolean;
}

const MAX_LINE_BYTES = 65_536;

/**
 * A new password, never from argv: generated if asked to, typed twice on a terminal, else one line of
 * standard input. Where that is empty or closed, it is generated too.
 */
export async function readNewPassword({
  generate,
}: {
  generate?: boolean;
}): Promise<PasswordInput> {
  const typed = generate ? '' : await (process.stdin.isTTY ? askTwice() : readLine());
  return typed === ''
    ? { password: generatePassword(), isGenerated: true }
    : { password: typed, isGenerated: false };
}

/** What to print of it: a password that a person typed is shown to nobody. */
export function announcePassword({ password, isGenerated }: PasswordInput): string {
  return isGenerated ? `\nPassword: ${password}\nIt is shown this once.` : '';
}

async function askTwice(): Promise<string> {
  const password = await ask('Password: ');
  if (password === '')
    throw new OperatorError('The password is empty. Use --generate to get one made.');
  if ((await ask('Password (again): ')) !== password)
    throw new OperatorError('The two passwords are not the same.');
  return password;
}

async function ask(question: string): Promise<string> {
  // Readline edits the line and echoes it to where nobody looks.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: process.stdin,
    output: nowhere,
    terminal: true,
    historySize: 0,
  });
  const cancelled = new Promise<never>((_resolve, reject) => {
    terminal.once('SIGINT', () => reject(new OperatorError('Cancelled.')));
    terminal.once('close', () => reject(new OperatorError('Cancelled.')));
  });
  process.stderr.write(question);
  try {
    return await Promise.race([terminal.question(''), cancelled]);
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

async function readLine(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (chunk.includes(0x0a)) break;
    if (length > MAX_LINE_BYTES)
      throw new OperatorError('The password on standard input is too long.');
  }
  const [line = ''] = decode(Buffer.concat(chunks)).split('\n', 1);
  return line.replace(/\r$/, '');
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new OperatorError('The password on standard input is not valid UTF-8.', {
      cause: error,
    });
  }
}
