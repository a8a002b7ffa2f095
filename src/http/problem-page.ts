import type Router from '@koa/router';
import { PROBLEMS } from '../problems.ts';

const ROWS = Object.entries(PROBLEMS)
  .map(([code, { status, title }]) => {
    return `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`;
  })
  .join('\n      ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Latchkey: why requests are refused</title>
    <style>
      body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; padding: 0 1rem; }
      td, th { padding: 0.25rem 1rem 0.25rem 0; text-align: left; }
      :target { background: #ffec99; }
    </style>
  </head>
  <body>
    <h1>Why requests are refused</h1>
    <p>The codes of problems; the <code>detail</code> of each says more. The service's log has the
      <code>request_id</code>.</p>
    <table>
      <tr><th>code</th><th>status</th><th>title</th></tr>
      ${ROWS}
    </table>
  </body>
</html>
`;

/** Where the `type` of a problem leads. */
export function addProblemPage(router: Router): void {
  router.get('/problems', (ctx) => {
    ctx.set({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'Cache-Control': 'no-cache',
    });
    ctx.body = PAGE;
  });
}
