import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Command {
  words: string[];
  directory: string;
  env?: Record<string, string>;
}

interface Outcome {
  stdout: string;
  complaint?: string;
}

/** What a command prints, and what it complains of where it fails. */
export async function run({ words, directory, env }: Command): Promise<Outcome> {
  const [file = '', ...args] = words;
  const options = { cwd: directory, env: { ...process.env, ...env }, timeout: 300_000 };
  try {
    const { stdout } = await promisify(execFile)(file, args, { ...options, maxBuffer: 2 ** 26 });
    return { stdout };
  } catch (error) {
    const { message, stdout = '' } = error as Error & { stdout?: string }; // so says execFile
    return { stdout, complaint: `${message}\n${stdout}` };
  }
}
