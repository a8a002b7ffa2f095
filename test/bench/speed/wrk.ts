import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../../../src/errors.ts';
import { temporaryDirectory } from '../temporary.ts';
import { onCore } from './cores.ts';

const SCRIPT = path.join(import.meta.dirname, 'requests.lua');
const run = promisify(execFile);

/** What is asked, and how. */
export interface Asked {
  method?: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  json?: object;
}

export interface Load {
  origin: string;
  /** Sent in turn, over and over. */
  requests: readonly Asked[];
  /** Each may be sent once only: a run that needs more of them is a failure. */
  once?: boolean;
  connections: number;
  seconds: number;
}

export interface LoadResult {
  requests: number;
  /** A second. */
  rate: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Throws unless every answer was a success: a refusal is quickly given, and no result. */
export async function load({ origin, requests, once, ...how }: Load): Promise<LoadResult> {
  const file = path.join(temporaryDirectory(), 'requests');
  writeFileSync(file, requests.map((one) => framed(one, origin)).join(''));
  const args = ['-t1', `-c${how.connections}`, `-d${how.seconds}s`, '--timeout', '10s'];
  const script = ['-s', SCRIPT, origin, '--', file, once ? 'once' : 'again'];
  try {
    const { stdout } = await run(...onCore('load', 'wrk', [...args, ...script]));
    return readResult(stdout, once ? requests.length : Infinity);
  } catch (error) {
    throw isMissing(error) ? new OperatorError(INSTALL, { cause: error }) : error;
  } finally {
    rmSync(file);
  }
}

const INSTALL = 'wrk is missing: `apt-get install wrk` (Debian, Ubuntu) or `brew install wrk`.';

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 127)
  );
}

/** From what requests.lua prints. */
export function readResult(output: string, available = Infinity): LoadResult {
  const line = /^LOAD (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk has not told what it measured:\n${output}`);
  const { requests, micros, sent, p50, p99, refused, broken, late } = JSON.parse(line) as Printed; // by our own script
  if (refused + broken + late > 0)
    throw new Error(
      `of ${requests} requests ${refused} were refused, ${broken} broke and ${late} had no answer in time`,
    );
  if (sent > available)
    throw new Error(`${available} requests that can be sent once were too few: ${sent} were sent`);
  if (requests === 0) throw new Error('no request was answered');
  return { requests, rate: requests / (micros / 1e6), p50: p50 / 1000, p99: p99 / 1000 };
}

type Printed = Record<
  'requests' | 'micros' | 'sent' | 'p50' | 'p99' | 'refused' | 'broken' | 'late',
  number
>;

/** The bytes of a request, after a line with their number. */
export function framed(
  { method = 'GET', path: target, headers = {}, json }: Asked,
  origin: string,
): string {
  const body = json === undefined ? '' : JSON.stringify(json);
  const fields = {
    Host: new URL(origin).host,
    ...headers,
    ...(json !== undefined && {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
    }),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
  return `${Buffer.byteLength(text)}\n${text}\n`;
}
