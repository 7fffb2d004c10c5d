import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { serveLines } from './line-process.ts';

/** Node's own HTTP server with the same handler: what everything is compared with. */
const server = createServer((request, response) => {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/plain;charset=UTF-8');
    response.end('Hello, world!');
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(Buffer.concat(chunks));
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
await serveLines({ url: `http://127.0.0.1:${port}` }, async () => ({ pids: [process.pid] }));
server.closeAllConnections();
server.close();
