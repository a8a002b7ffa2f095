import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { createScope } from '../bench/scope.ts';
import { startService } from './service.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const REDOCLY = path.join(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
const PASSWORD = 'a battery, a staple';

interface Workflow {
  info: { title: string };
  workflows: { steps: unknown[] }[];
}

const files = globSync('test/contract/workflows/*.arazzo.yaml', { cwd: ROOT }).toSorted();
const scope = createScope();
const directory = mkdtempSync(path.join(os.tmpdir(), 'latchkey-workflows-'));
scope.onClose(() => rmSync(directory, { recursive: true, force: true }));
test.after.always(scope.close);

let origin = '';

test.before(async (t) => {
  t.timeout(120_000);
  const stock = { password: PASSWORD, staff: [], users: ['alice'], products: 0 };
  ({ origin } = await startService(
    { ROTATE_REFRESH_TOKENS: 'true', REFRESH_GRACE: '0' },
    stock,
    scope,
  ));
});

interface Outcome {
  code: number;
  output: string;
}

function redocly(...args: string[]): Promise<Outcome> {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  return new Promise((resolve) => {
    execFile(process.execPath, [REDOCLY, ...args], { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

interface Report {
  status: string;
  files: Record<string, { totalRequests: number }>;
}

async function follow(file: string, username: string): Promise<Outcome & { report: Report }> {
  const json = path.join(directory, `${username}.json`);
  const inputs = { username, password: PASSWORD, newPassword: 'a staple, a battery' };
  const outcome = await redocly(
    ...['respect', file, '--server', `latchkey=${origin}`, '--json-output', json],
    ...Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${value}`]),
  );
  return { ...outcome, report: JSON.parse(readFileSync(json, 'utf8')) };
}

for (const file of files) {
  const { info, workflows } = parse(readFileSync(path.join(ROOT, file), 'utf8')) as Workflow;

  test.serial(`the service follows the workflow "${info.title}" to its end`, async (t) => {
    t.timeout(60_000);

    const { code, output, report } = await follow(file, path.basename(file, '.arazzo.yaml'));

    t.is(code, 0, output);
    t.is(report.status, 'success');
    const steps = workflows.flatMap((workflow) => workflow.steps).length;
    t.is(report.files[file]?.totalRequests, steps);
  });
}

test.serial('a workflow that the service does not follow fails', async (t) => {
  t.timeout(60_000);

  const { code, report } = await follow(files[0] ?? '', 'alice');

  t.is(code, 1);
  t.is(report.status, 'error');
});

test.serial('every workflow is well-formed Arazzo', async (t) => {
  t.timeout(60_000);

  const { code, output } = await redocly('lint', ...files);

  t.is(code, 0, output);
  t.is(files.length, 6);
});
