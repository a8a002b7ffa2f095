// What the page knows of credentials, and of the contract's ways to come by them.

/** Path -> the scheme that takes what a success there gives, and the member that holds it. */
const GIVEN = {
  '/auth/token/': ['tokenAuth', 'token'],
  '/auth/token/rotate/': ['tokenAuth', 'token'],
  '/login/': ['bearerJWT', 'access'],
  '/refresh_token/': ['bearerJWT', 'access'],
};

/** Path -> the schemes whose credentials are worth nothing after a success there. */
const ENDED = {
  '/auth/token/logout/': ['tokenAuth'],
  '/blacklist_token/': ['bearerJWT'],
  '/auth/users/set_password/': ['tokenAuth', 'bearerJWT'],
};

const pathOf = ({ url }) => new URL(url, 'http://page.invalid').pathname;

/**
 * The credentials that an answer gives, as the page can send them.
 * @param {{ ok: boolean, url: string, text?: string }} answer
 */
export function givenBy({ ok, url, text = '' }) {
  const [scheme, member] = GIVEN[pathOf({ url })] ?? [];
  if (!ok || scheme === undefined) return undefined;
  const body = JSON.parse(text);
  return { scheme, value: body[member], refresh: body.refresh };
}

/**
 * The schemes whose credentials an answer has ended.
 * @param {{ ok: boolean, url: string }} answer
 * @returns {string[]}
 */
export function endedBy({ ok, url }) {
  return ok ? (ENDED[pathOf({ url })] ?? []) : [];
}

/**
 * The `Authorization` header of a request. Under tokenAuth the whole header is typed, under bearerJWT what follows the
 * keyword; what people have at hand is the bare token, or the whole header, in either field.
 * @param {{ method?: string, url: string, headers: { Authorization?: string } }} request
 */
export function headerOf({ method, url, headers: { Authorization } }) {
  // Bad credentials are refused there too, and whoever asks for a token may hold an expired one.
  if (method === 'POST' && pathOf({ url }) === '/auth/token/') return undefined;
  if (Authorization === undefined) return undefined;
  const text = Authorization.trim().replace(/^Bearer\s+(?=(Bearer|Token)\s)/i, '');
  const bare = text.replace(/^Bearer\s+/i, '');
  if (/^[0-9a-f]{40}$/.test(bare)) return `Token ${bare}`;
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(bare) ? `Bearer ${bare}` : text;
}

/**
 * Moves the examples of optional parameters into their descriptions: filled into the form, they would filter
 * everything away.
 */
export function describeFilters(spec) {
  for (const item of Object.values(spec.paths))
    for (const { parameters = [] } of Object.values(item)) parameters.forEach(describe);
  return spec;
}

function describe(parameter) {
  if (parameter.in !== 'query' || parameter.example === undefined) return;
  parameter.description += `\n\nExample: \`${parameter.example}\``;
  delete parameter.example;
}

/** The refresh token that came with the last login, for the code samples; in memory only. */
export function createCredentials() {
  let refresh;
  const listeners = new Set();
  return {
    getRefresh: () => refresh,
    setRefresh: (value) => {
      refresh = value;
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
