import { codeSamples } from './code-samples.js';
import { createCredentials, describeFilters, endedBy, givenBy, headerOf } from './credentials.js';

const credentials = createCredentials();
const notice = document.getElementById('notice');

function tell(text) {
  notice.textContent = text;
  notice.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (notice.hidden = true), 8000);
}

// What was logged in last counts: both at once would be one header, and nobody would know whose.
function take({ scheme, value, refresh }) {
  forget(['tokenAuth', 'bearerJWT']);
  ui.preauthorizeApiKey(scheme, value);
  if (refresh || scheme === 'tokenAuth') credentials.setRefresh(refresh);
  tell('You are logged in: requests from this page and the code samples now carry this token.');
}

// Swagger UI cannot log out of what nobody is logged in to.
function forget(schemes) {
  const held = schemes.filter((scheme) => ui.authSelectors.authorized().has(scheme));
  if (held.length > 0) ui.authActions.logout(held);
  return held;
}

function drop(schemes) {
  if (schemes.includes('bearerJWT')) credentials.setRefresh(undefined);
  if (forget(schemes).length > 0)
    tell('You are logged out: requests from this page carry no token any more.');
}

function followDarkMode(query) {
  document.documentElement.classList.toggle('dark-mode', query.matches);
}
const dark = matchMedia('(prefers-color-scheme: dark)');
followDarkMode(dark);
dark.addEventListener('change', followDarkMode);

const response = await fetch('/openapi.json');
const spec = describeFilters(await response.json());
const ui = SwaggerUIBundle({
  spec,
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [codeSamples(credentials)],
  requestInterceptor: (request) => {
    const header = headerOf(request);
    if (header === undefined) delete request.headers.Authorization;
    else request.headers.Authorization = header;
    return request;
  },
  responseInterceptor: (answer) => {
    const given = givenBy(answer);
    if (given) take(given);
    drop(endedBy(answer));
    return answer;
  },
});
