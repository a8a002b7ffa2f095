import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Router from '@koa/router';
import type { Context } from 'koa';

const require = createRequire(import.meta.url);
const UI = path.dirname(require.resolve('swagger-ui-dist/package.json'));
const OURS = path.join(import.meta.dirname, 'page');

const FILES = [
  ...['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'].map((name) =>
    path.join(UI, name),
  ),
  ...['page.css', 'start.js', 'credentials.js', 'code-samples.js'].map((name) =>
    path.join(OURS, name),
  ),
];

// Nothing is loaded from elsewhere, and the page may not do so either.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Latchkey API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="stylesheet" href="/docs/page.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <p id="notice" role="status" hidden></p>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script type="module" src="/docs/start.js"></script>
  </body>
</html>
`;

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
};

/** The contract for reading and trying out (Swagger UI, served from here), and the document itself. */
export function addContractRoutes(router: Router, directory: string, withPage: boolean): void {
  const yaml = path.join(directory, 'openapi.yaml');
  serveFile(router, '/openapi.yaml', yaml, 'application/yaml; charset=utf-8');
  for (const name of ['openapi.json', 'openapi-3.0.json'])
    serveFile(router, `/${name}`, path.join(directory, 'generated', name), 'application/json');
  if (!withPage) return;

  router.get('/docs', (ctx) => send(ctx, 'text/html; charset=utf-8', PAGE));
  for (const file of FILES) {
    const type = TYPES[path.extname(file)] ?? 'text/plain';
    serveFile(router, `/docs/${path.basename(file)}`, file, type);
  }
}

// Read at the first request and kept: the files do not change while the service runs.
function serveFile(router: Router, route: string, file: string, type: string): void {
  let content: Buffer | undefined;
  router.get(route, (ctx) => {
    content ??= readFileSync(file);
    send(ctx, type, content);
  });
}

function send(ctx: Context, type: string, body: string | Buffer): void {
  ctx.set({ 'Content-Type': type, 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' });
  ctx.body = body;
}
