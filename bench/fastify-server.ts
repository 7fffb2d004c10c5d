import fastify from 'fastify';
import { serveLines } from './line-process.ts';

const app = fastify();
app.get('/hello', (_request, reply) => reply.send('Hello, world!'));
app.post('/hello', (request, reply) => reply.send(request.body));
const url = await app.listen({ host: '127.0.0.1', port: 0 });
await serveLines({ url }, async () => ({ pids: [process.pid] }));
app.server.closeAllConnections();
await app.close();
