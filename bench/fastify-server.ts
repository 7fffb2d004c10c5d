import fastify from 'fastify';
import type { IncomingMessage } from 'node:http';
import { serveLines } from './line-process.ts';
import { DOWNLOAD_BYTES } from './payloads.ts';

const MEGABYTE = Buffer.alloc(DOWNLOAD_BYTES, 'x');
const app = fastify();
app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
app.get('/hello', (_request, reply) => reply.send('Hello, world!'));
app.post('/hello', (request, reply) => reply.send(request.body));
app.get('/download', (_request, reply) => reply.send(MEGABYTE));
const upload = async (request: { body: unknown }): Promise<string> => {
  let bytes = 0;
  for await (const chunk of request.body as IncomingMessage) bytes += (chunk as Buffer).length;
  return String(bytes);
};
app.route({ method: 'POST', url: '/upload', bodyLimit: 64 * 1024 * 1024, handler: upload });
const url = await app.listen({ host: '127.0.0.1', port: 0 });
await serveLines({ url }, async () => ({ pids: [process.pid] }));
app.server.closeAllConnections();
await app.close();
