import { headerOf } from './credentials.js';

const REMEMBERED = 'latchkey.docs.language';
// As `x-codeSamples` have them.
const ORIGIN = 'http://127.0.0.1:8000';
const AUTHORIZATION = 'Token YOUR_TOKEN';
const REFRESH = 'YOUR_REFRESH_TOKEN';
// Swagger UI brings few grammars; those of the others that get strings and keywords right.
const GRAMMARS = { shell: 'bash', typescript: 'javascript', python: 'bash', go: 'javascript' };

/**
 * A sample as it can be pasted: with the page's own origin, and the credentials that the page was given.
 * @param {string} source
 * @param {{ origin: string, authorization?: string, refresh?: string }} known
 */
export function filledIn(source, { origin, authorization, refresh }) {
  // What is no token stays out: it would have to be quoted otherwise in each language.
  const isPlain = (text) => text !== undefined && /^[\w .=+/~-]+$/.test(text);
  const whole = source.replaceAll(ORIGIN, origin);
  const authorized = isPlain(authorization) ? whole.replace(AUTHORIZATION, authorization) : whole;
  return isPlain(refresh) ? authorized.replace(REFRESH, refresh) : authorized;
}

/** A plugin of Swagger UI: the samples of an operation above its responses, a tab for each language. */
export function codeSamples(credentials) {
  const language = createLanguage();
  return ({ React }) => {
    const { createElement: h, Fragment } = React;
    const wrapResponses = (Responses, system) => (props) =>
      h(
        Fragment,
        null,
        h(Samples, { system, path: props.path, method: props.method }),
        h(Responses, props),
      );

    function Samples({ system, path, method }) {
      const chosen = React.useSyncExternalStore(language.subscribe, language.get);
      const refresh = React.useSyncExternalStore(credentials.subscribe, credentials.getRefresh);
      const operation = system.specSelectors.specJson().getIn(['paths', path, method]);
      const samples = operation.get('x-codeSamples')?.toJS() ?? [];
      const sample = samples.find(({ lang }) => lang === chosen) ?? samples[0];
      if (!sample) return null;
      const id = `samples-${operation.get('operationId')}`;
      const source = filledIn(sample.source, {
        origin: location.origin,
        authorization: authorizationIn(system),
        refresh,
      });
      const SyntaxHighlighter = system.getComponent('SyntaxHighlighter', true);
      return h(
        'div',
        { className: 'code-samples' },
        h(
          'div',
          { className: 'opblock-section-header' },
          h('h4', null, 'Code samples'),
          h(Tabs, { id, samples, chosen: sample.lang }),
          h(Copy, { key: source, source }),
        ),
        h(
          'div',
          {
            className: 'code-sample',
            role: 'tabpanel',
            id: `${id}-panel`,
            tabIndex: 0,
            'aria-labelledby': `${id}-${sample.lang}`,
          },
          h(
            SyntaxHighlighter,
            { language: GRAMMARS[sample.lang] ?? 'text', className: 'microlight' },
            source,
          ),
        ),
      );
    }

    function Tabs({ id, samples, chosen }) {
      const choose = (index) => {
        const { lang } = samples.at(index % samples.length);
        language.set(lang);
        document.getElementById(`${id}-${lang}`).focus();
      };
      const move = (event, index) => {
        const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: -1 }[event.key];
        if (target === undefined) return;
        event.preventDefault();
        choose(target);
      };
      return h(
        'div',
        { className: 'code-tabs', role: 'tablist', 'aria-label': 'Language of the code' },
        samples.map(({ lang, label }, index) =>
          h(
            'button',
            {
              key: lang,
              type: 'button',
              role: 'tab',
              id: `${id}-${lang}`,
              'aria-controls': `${id}-panel`,
              'aria-selected': lang === chosen,
              tabIndex: lang === chosen ? 0 : -1,
              onClick: () => choose(index),
              onKeyDown: (event) => move(event, index),
            },
            label,
          ),
        ),
      );
    }

    function Copy({ source }) {
      const [said, say] = React.useState('Copy');
      const copy = async () => say((await copyText(source)) ? 'Copied' : 'Not copied');
      return h(
        'button',
        { type: 'button', className: 'btn code-copy', onClick: copy, 'aria-live': 'polite' },
        said,
      );
    }

    return { wrapComponents: { responses: wrapResponses } };
  };
}

// As the page would send it: the scheme that was authorized, in the contract's order.
function authorizationIn({ authSelectors }) {
  const { tokenAuth, bearerJWT } = authSelectors.authorized().toJS();
  const typed = tokenAuth?.value || (bearerJWT?.value && `Bearer ${bearerJWT.value}`);
  return typed ? headerOf({ url: '/', headers: { Authorization: typed } }) : undefined;
}

// Where only https pages may use the clipboard, the old way still works.
async function copyText(text) {
  if (navigator.clipboard)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  return isCopied;
}

/** The language that was chosen last, in all operations and after a reload. */
function createLanguage() {
  let language = stored()?.getItem(REMEMBERED) ?? 'shell';
  const listeners = new Set();
  return {
    get: () => language,
    set: (value) => {
      language = value;
      stored()?.setItem(REMEMBERED, value);
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

// A browser may be told to store nothing; asking for the store is then an error.
function stored() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
