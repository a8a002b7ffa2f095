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
  ui.authActions.logout(['tokenAuth', 'bearerJWT']);
  ui.preauthorizeApiKey(scheme, value);
  if (refresh) credentials.setRefresh(refresh);
  tell('You are logged in: requests from this page and the code samples now carry this token.');
}

function drop(schemes) {
  const held = schemes.filter((scheme) => ui.authSelectors.authorized().has(scheme));
  if (held.length === 0) return;
  ui.authActions.logout(held);
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
