import { client } from '../../generated/clients/typescript/latchkey.ts';
import type { Product, ProductPage } from '../../generated/clients/typescript/latchkey.ts';
import { clearErrors, showErrors, valuesOf } from './forms.ts';
import { createSession } from './session.ts';

const DEFAULT_API = 'http://127.0.0.1:8000';
const asked = new URLSearchParams(location.search).get('api') ?? DEFAULT_API;
const api = URL.canParse(asked) ? asked.replace(/\/+$/, '') : DEFAULT_API;

const session = createSession({ api, storage: localStorage, fetch: watched, onSessionEnd });
client.configure({ serverUrl: api, fetch: session.fetch });

let page: ProductPage = { next: null, previous: null, results: [] };
let cursor: string | undefined;

function find<Found extends HTMLElement>(selector: string, type: new () => Found): Found {
  const found = document.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${selector}`);
}
const form = (id: string): HTMLFormElement => find(`#${id}`, HTMLFormElement);
const button = (id: string): HTMLButtonElement => find(`#${id}`, HTMLButtonElement);
const notice = find('#notice', HTMLElement);

/** Shows each request with its status, so that a refresh can be watched. */
async function watched(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const request = new Request(input, init);
  const line = document.createElement('li');
  line.textContent = `${request.method} ${request.url.slice(api.length)}`;
  find('#wire', HTMLElement).prepend(line);
  try {
    const answer = await fetch(request);
    line.append(` → ${answer.status}`);
    line.className = answer.ok ? '' : 'refused';
    return answer;
  } catch (error) {
    line.append(' → no answer');
    line.className = 'refused';
    throw error;
  }
}

function onSessionEnd(): void {
  void attempt(show, 'Your session has ended. Please log in again.');
}

/** Does what was asked for; what fails for want of an answer is told, and can be tried again. */
async function attempt(act: () => Promise<void>, done = ''): Promise<void> {
  notice.textContent = done;
  try {
    await act();
  } catch (error) {
    notice.textContent = `Without an answer from ${api}: ${error instanceof Error ? error.message : error}`;
  }
}

const onClick = (id: string, act: () => Promise<void>): void =>
  button(id).addEventListener('click', () => void attempt(act));

const onSubmit = (id: string, act: (form: HTMLFormElement) => Promise<void>): void =>
  form(id).addEventListener('submit', (event) => {
    event.preventDefault();
    clearErrors(form(id));
    void attempt(() => act(form(id)));
  });

/** The login, or the shop where somebody is logged in. */
async function show(): Promise<void> {
  const isOpen = await session.isOpen();
  form('login').hidden = isOpen;
  find('#shop', HTMLElement).hidden = !isOpen;
  if (!isOpen) return find('#username', HTMLInputElement).focus();
  cursor = undefined;
  const [me] = await Promise.all([client.retrieveMe(), list()]);
  if (me.data) find('#user', HTMLElement).textContent = me.data.username;
}

async function list(): Promise<void> {
  const { data, error } = await client.listProducts({ query: { page_size: 5, cursor } });
  if (!data) return refused(error);
  page = data;
  find('#products', HTMLElement).replaceChildren(...page.results.map(rowOf));
  button('previous').disabled = page.previous === null;
  button('next').disabled = page.next === null;
}

function rowOf({ name, price, stock }: Product): HTMLElement {
  const row = document.createElement('tr');
  for (const [text, type] of [[name], [price, 'number'], [stock, 'number']] as const) {
    const cell = row.insertCell();
    cell.textContent = String(text);
    cell.className = type ?? '';
  }
  return row;
}

async function turnTo(link: string | null): Promise<void> {
  // Only the cursor is taken: the address of the API is the page's own business.
  cursor = (link && new URL(link).searchParams.get('cursor')) ?? undefined;
  await list();
}

// The end of a session has a notice of its own.
async function refused(error: unknown): Promise<void> {
  const { detail } = Object(error);
  if (await session.isOpen()) notice.textContent = String(detail ?? 'Refused.');
}

onSubmit('login', async (form) => {
  const { username = '', password = '' } = valuesOf(form);
  const { data, error } = await client.login({ body: { username, password } });
  if (!data) return showErrors(form, error);
  form.reset();
  await session.start(data);
  await show();
});

onSubmit('create', async (form) => {
  // As it was typed: the service says best what is wrong with it. The key makes one product of any number of tries.
  const { name = '', price = '', stock = '' } = valuesOf(form);
  const { data, error, response } = await client.createProduct(
    { body: { name, price, stock: Number(stock) } },
    { idempotencyKey: true },
  );
  if (response.status === 400) return showErrors(form, error);
  if (!data) return refused(error);
  form.reset();
  cursor = undefined;
  await list();
  notice.textContent = `${data.name} was created.`;
});

onClick('reload', list);
onClick('next', () => turnTo(page.next));
onClick('previous', () => turnTo(page.previous));
onClick('refresh', async () => {
  if (await session.refresh()) notice.textContent = 'The tokens are fresh.';
});
onClick('end-all', async () => {
  const { error } = await client.revokeAllSessions({ body: {} });
  if (error) return refused(error);
  notice.textContent = 'All your sessions have ended, here too: the next request will show it.';
});
onClick('logout', async () => {
  await session.end().finally(show);
  notice.textContent = 'You have logged out.';
});

find('#api-address', HTMLInputElement).value = api;
await attempt(show);
