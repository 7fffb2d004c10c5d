import fastify from 'fastify';
import { Agent, request as httpRequest } from 'node:http';
import { measureCalls, type Measured } from './calls-app/measure.ts';
import { makeValues, type Item, type Sku, type ValueName } from './calls-app/values.ts';
import type { PeerHello, PeerOrder } from './calls-peers.ts';
import { serveLines } from './line-process.ts';

const MOST_BYTES = 16 * 1024 * 1024;
const HOST = '127.0.0.1';

const values = makeValues();

/** One of two Fastify servers, in a process of its own: `calls-http-peer.ts callee`, or `calls-http-peer.ts caller PORT` with the callee's. */
const [side, port] = process.argv.slice(2) as ['caller' | 'callee', string | undefined];
await (side === 'callee' ? serveCallee() : serveCaller(Number(port)));
// Connections that are kept hold the process up.
process.exit(0);

async function serveCallee(): Promise<void> {
  const app = fastify({ bodyLimit: MOST_BYTES });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.post('/small', (request) => {
    const { sku, quantity } = request.body as Sku;
    return { cents: sku.length * quantity };
  });
  app.post('/objects', (request) => ({ cents: (request.body as Item[]).length }));
  app.post('/bytes', (request) => ({ cents: (request.body as Buffer).length }));
  const url = await app.listen({ host: HOST, port: 0 });
  await serveLines({ port: Number(new URL(url).port) } satisfies PeerHello, async () => ({}));
}

/** Its handler makes the calls. */
async function serveCaller(calleePort: number): Promise<void> {
  const url = `http://${HOST}:${calleePort}`;
  const agent = new Agent({ keepAlive: true });
  const app = fastify();
  app.post('/run', (request): Promise<Measured> => {
    const { value, client, ...order } = request.body as PeerOrder;
    const to = `${url}/${value}`;
    return measureCalls(
      order,
      client === 'fetch' ? () => fetchPost(to, value) : () => nodePost(agent, to, value),
    );
  });
  const own = await app.listen({ host: HOST, port: 0 });
  await serveLines({ port: 0 } satisfies PeerHello, async (order: PeerOrder): Promise<Measured> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${own}/run`, { method: 'POST', headers, body: JSON.stringify(order) });
    if (!answer.ok) throw new Error(`The caller answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Measured;
  });
}

function bodyOf(value: ValueName): {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
} {
  return value === 'bytes'
    ? { type: 'application/octet-stream', body: values.bytes as Uint8Array<ArrayBuffer> }
    : { type: 'application/json', body: JSON.stringify(values[value]) };
}

/** Node's own `fetch` keeps its connections. */
async function fetchPost(url: string, value: ValueName): Promise<unknown> {
  const { type, body } = bodyOf(value);
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return await answer.json();
}

function nodePost(agent: Agent, url: string, value: ValueName): Promise<unknown> {
  const { type, body } = bodyOf(value);
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${url} answered ${answer.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
