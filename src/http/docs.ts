import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Router from '@koa/router';
import type { Context } from 'koa';

const require = createRequire(import.meta.url);
const UI = path.dirname(require.resolve('swagger-ui-dist/package.json'));

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
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

// Under tokenAuth the whole header is typed; the bare key is what people have at hand. The examples of
// optional parameters move into their descriptions: filled into the form, they would filter everything away.
const START = `const describe = (parameter) => {
  if (parameter.in !== 'query' || parameter.example === undefined) return;
  parameter.description += '\\n\\nExample: \`' + parameter.example + '\`';
  delete parameter.example;
};

fetch('/openapi.json')
  .then((response) => response.json())
  .then((spec) => {
    for (const path of Object.values(spec.paths))
      for (const operation of Object.values(path)) (operation.parameters ?? []).forEach(describe);
    window.ui = SwaggerUIBundle({
      spec,
      dom_id: '#swagger-ui',
      deepLinking: true,
      tryItOutEnabled: true,
      validatorUrl: null,
      requestInterceptor: (request) => {
        const key = /^\\s*([0-9a-f]{40})\\s*$/.exec(request.headers.Authorization)?.[1];
        if (key) request.headers.Authorization = 'Token ' + key;
        return request;
      },
    });
  });
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
  router.get('/docs/start.js', (ctx) => send(ctx, 'text/javascript; charset=utf-8', START));
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'])
    serveFile(
      router,
      `/docs/${name}`,
      path.join(UI, name),
      TYPES[path.extname(name)] ?? 'text/plain',
    );
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
