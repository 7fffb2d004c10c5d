import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { serveLines } from './line-process.ts';
import { rawHandler } from './raw-handler.ts';

/** Node's own HTTP server with the same handler: what everything is compared with. */
const server = createServer(rawHandler);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
await serveLines({ url: `http://127.0.0.1:${port}` }, async () => ({ pids: [process.pid] }));
server.closeAllConnections();
server.close();
