import { createServer } from 'node:http';

// The HTTP limit: node:http that reads no body and answers the same bytes to everything.

const { PORT, HOST = '127.0.0.1' } = process.env;
const HEAD = { 'Content-Type': 'application/json', 'Content-Length': 2 };

createServer((request, response) => {
  request.resume();
  response.writeHead(200, HEAD).end('{}');
}).listen(Number(PORT), HOST);
