import { createAdaptorServer } from '@hono/node-server';
import { once } from 'node:events';
import { Hono } from 'hono';
import type { AddressInfo } from 'node:net';
import { serveLines } from './line-process.ts';
import { DOWNLOAD_BYTES } from './payloads.ts';

const MEGABYTE = new Uint8Array(DOWNLOAD_BYTES).fill(120);
const app = new Hono();
app.get('/hello', (c) => c.text('Hello, world!'));
app.post('/hello', async (c) =>
  c.body(await c.req.arrayBuffer(), 200, { 'content-type': 'application/json' }),
);
app.get('/download', (c) => c.body(MEGABYTE, 200, { 'content-type': 'application/octet-stream' }));
app.post('/upload', async (c) => {
  let bytes = 0;
  for await (const chunk of c.req.raw.body!) bytes += (chunk as Uint8Array).length;
  return c.text(String(bytes));
});
const server = createAdaptorServer({ fetch: app.fetch });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
await serveLines({ url: `http://127.0.0.1:${port}` }, async () => ({ pids: [process.pid] }));
server.close();
process.exit();
