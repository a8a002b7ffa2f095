import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { SAMPLE_ORIGIN } from '../../src/commands/code-samples.ts';
import { contractDocument } from '../../src/contract.ts';
import { hashPassword } from '../../src/users/passwords.ts';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import { createUser, logIn } from '../support/factories.ts';

interface Documented {
  operationId: string;
  'x-permissions': string[];
  'x-codeSamples': { label: string; source: string }[];
  responses: Record<string, unknown>;
}
const { paths, components } = contractDocument() as {
  paths: Record<string, Record<string, Documented>>;
  components: { parameters: Record<'SessionId' | 'ProductId', { example: string | number }> };
};
const { SessionId, ProductId } = components.parameters;

const operations = Object.values(paths).flatMap((item) =>
  Object.values(item).filter(({ operationId }) => operationId !== undefined),
);

export interface Sample {
  operationId: string;
  source: string;
  /** The first success that the contract documents. */
  status: number;
}

/** The samples of a language, each with a user and objects of its own in the place of the example's. */
export async function samplesIn(
  label: string,
  { app, origin }: Pick<NotedApp, 'app' | 'origin'>,
  wanted = /^/,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const operation of operations.filter(({ operationId }) => wanted.test(operationId))) {
    const { source = '' } = operation['x-codeSamples'].find((one) => one.label === label) ?? {};
    const values = await exampleOf(operation, app);
    samples.push({
      operationId: operation.operationId,
      source: Object.entries({ ...values, [SAMPLE_ORIGIN]: origin }).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        source,
      ),
      status: Number(Object.keys(operation.responses).find((status) => status.startsWith('2'))),
    });
  }
  return samples;
}

// What the examples of the contract are about, made true: the sample's text -> what is there.
async function exampleOf(
  { operationId, 'x-permissions': permissions }: Documented,
  app: TestApp,
): Promise<Record<string, string>> {
  const plain = 'correct-horse-battery';
  const is_staff = permissions.some((name) => name.startsWith('IsAdminUser'));
  const password = await hashPassword(plain, app.deps.config);
  const user = { ...(await createUser(app, { password, is_staff })), plain };
  const { access, refresh } = await logIn(app, user);
  const authorization = `Token ${user.token}`;
  const json = { name: 'Oak chair', price: '49.90' };
  const product = await app.client.post('/products/', { authorization, json });
  const { id } = product.body as { id: number }; // the client checked it
  const { sid } = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString());
  const bodies: Record<string, string> = { verifyToken: access };
  if (operationId === 'refreshSlidingToken') bodies[operationId] = await slidingToken(app, user);
  return {
    alice: operationId === 'registerUser' ? `not-yet-${user.id}` : user.username,
    [`/products/${ProductId.example}/`]: `/products/${id}/`,
    [SessionId.example]: sid,
    YOUR_REFRESH_TOKEN: refresh,
    YOUR_TOKEN: bodies[operationId] ?? user.token,
  };
}

async function slidingToken(
  { client }: TestApp,
  { username, plain }: { username: string; plain: string },
): Promise<string> {
  const { body } = await client.post('/login/sliding/', { json: { username, password: plain } });
  return (body as { token: string }).token; // the client checked it
}

export interface NotedApp {
  app: TestApp;
  origin: string;
  statuses: (number | undefined)[];
}

/** The service behind a door that notes the status of each answer. */
export async function startNoted(t: ExecutionContext): Promise<NotedApp> {
  const app = await startApp(t);
  const statuses: (number | undefined)[] = [];
  const door = http.createServer((request, response) => {
    const { method, url, headers } = request;
    const inner = http.request(`${app.base}${url}`, { method, headers }, (answer) => {
      statuses.push(answer.statusCode);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(inner);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void door.close());
  const { port } = door.address() as AddressInfo; // a TCP socket that listens
  return { app, origin: `http://127.0.0.1:${port}`, statuses };
}
