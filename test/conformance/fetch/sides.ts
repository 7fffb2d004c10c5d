import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { installFetchObjects } from '../../../src/runtime/child/fetch/globals.ts';
import { IncomingRequest } from '../../../src/runtime/child/fetch/incoming-request.ts';
import {
  nativeFetch,
  NativeHeaders,
  NativeRequest,
  NativeResponse,
} from '../../../src/runtime/child/fetch/natives.ts';
import { RequestBody } from '../../../src/runtime/child/request-body.ts';
import type { RequestFrame } from '../../../src/runtime/wire/messages.ts';
import { FrameWriter } from '../../../src/runtime/wire/frame-writer.ts';
import { WireStream } from '../../../src/runtime/wire/stream.ts';
import type { FetchSide, Sent } from './row.ts';

const DEFAULT_URL = 'http://app.test/orders?page=2';

/** Both sides in one process: Node's own were taken before ours were put in their place. */
export function sides(echoUrl: string): { readonly node: FetchSide; readonly ours: FetchSide } {
  installFetchObjects();
  const { Request, Response, Headers, fetch } = globalThis;
  return {
    node: {
      Request: NativeRequest,
      Response: NativeResponse,
      Headers: NativeHeaders,
      fetch: nativeFetch,
      incoming: nativeIncoming,
      echoUrl,
    },
    ours: { Request, Response, Headers, fetch, incoming: lightIncoming, echoUrl },
  };
}

function nativeIncoming(sent: Sent = {}): Request {
  const { method = 'GET', url = DEFAULT_URL, headers = [], body } = sent;
  const init: RequestInit = {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  };
  if (body === undefined || !takesBody(method)) return new NativeRequest(url, init);
  // As a stream, as bodies come: Node would tell a type of the text that it is given.
  return new NativeRequest(url, { ...init, body: ReadableStream.from([Buffer.from(body)]), duplex: 'half' });
}

function lightIncoming(sent: Sent = {}): Request {
  const { method = 'GET', url = DEFAULT_URL, headers = [], body } = sent;
  const frame: RequestFrame = {
    remainingMs: 1_000,
    trigger: 'route',
    hasBody: body !== undefined,
    upgrades: false,
    method,
    url,
    requestId: 'r_1',
    traceparent: '',
    fields: headers.flat().join('\0'),
  };
  const source = body !== undefined && takesBody(method) ? bodyOf(Buffer.from(body)) : null;
  const { signal } = new AbortController();
  return new IncomingRequest(frame, source, () => signal) as unknown as Request;
}

/** What has come over the wire, in two pieces. What the wire would be told goes nowhere. */
function bodyOf(bytes: Buffer): RequestBody {
  const writer = new FrameWriter({
    cork: () => undefined,
    uncork: () => undefined,
    write: () => undefined,
  });
  const body = new RequestBody(
    new WireStream(1, writer),
    () => undefined,
    () => null,
  );
  const half = bytes.length >> 1;
  for (const piece of [bytes.subarray(0, half), bytes.subarray(half)]) {
    if (piece.length > 0) body.data(piece);
  }
  body.end();
  return body;
}

function takesBody(method: string): boolean {
  return !/^(?:GET|HEAD)$/i.test(method);
}

/** A server that answers with the method, the fields beginning with `x-` or `content-`, and the body that it was sent. */
export async function startEcho(): Promise<{ readonly url: string; stop(): void }> {
  const server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const piece of request) body += String(piece);
      const kept = Object.entries(request.headers).filter(([name]) => /^(?:x|content-type)/.test(name));
      kept.sort(([a], [b]) => (a < b ? -1 : 1));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ method: request.method, headers: kept, body }));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, stop };
}
