// Serves the page as it stands in the folder: what a browser can't read of TypeScript, its types, is left out on the way.
import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../..');
const PAGE = '/examples/web/';
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
};
// Nothing but these, whatever path is asked for.
const files = new Set(
  globSync(['examples/web/*.{html,css,ts}', 'generated/clients/typescript/*.ts'], {
    cwd: ROOT,
  }).map((file) => `/${file.replaceAll(path.sep, '/')}`),
);

const server = createServer((request, response) => {
  const { pathname, search } = new URL(request.url ?? '/', 'http://page');
  const file = pathname === PAGE ? `${PAGE}index.html` : pathname;
  if (pathname === '/') response.writeHead(302, { Location: PAGE + search }).end();
  else if (!files.has(file)) response.writeHead(404).end();
  else {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    const extension = path.extname(file);
    response.writeHead(200, {
      'Content-Type': TYPES[extension],
      'Cache-Control': 'no-store',
      // Scripts come from here alone; calls go to the API, wherever it is.
      'Content-Security-Policy': "default-src 'self'; img-src data:; connect-src *",
    });
    response.end(extension === '.ts' ? stripTypeScriptTypes(text) : text);
  }
});

server.listen(Number(process.env.PORT ?? 5173), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo; // a TCP socket that listens
  console.log(`http://localhost:${port}/`);
});
