import { request as httpRequest } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

interface Ask {
  readonly method?: string;
  readonly path?: string;
  /** Beside the host. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly host?: string;
  readonly body?: string | Uint8Array | undefined;
}

export interface Got {
  readonly status: number;
  /** By name in lower case; of repeated ones the values joined, without pseudo-fields. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Of what was told before the answer, such as 100. */
  readonly early: readonly number[];
}

/** A request that is under way, for tests that look at its parts. */
export interface Open {
  /** The body is written here. */
  readonly up: Duplex | ClientRequest;
  /** Resolves with the answer's head; its body is read from `down`. */
  readonly answer: Promise<{ status: number; down: Duplex | IncomingMessage }>;
  cancel(): void;
}

/** A client of one version of HTTP. */
export interface Client {
  readonly name: string;
  /** Rejects where the answer breaks off. */
  ask(ask: Ask): Promise<Got>;
  open(ask: Ask): Open;
  close(): void;
}

export interface Doors {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly ca: string;
}

export const VERSIONS = ['HTTP/1.1', 'HTTP/1.1 over TLS', 'HTTP/2'] as const;
export type Version = (typeof VERSIONS)[number];

export function clientOf(version: Version, doors: Doors): Client {
  return version === 'HTTP/2' ? new Http2Client(doors) : new Http1Client(version, doors);
}

const HOST = 'a.test';

class Http1Client implements Client {
  readonly name: Version;
  readonly #doors: Doors;

  constructor(name: Version, doors: Doors) {
    this.name = name;
    this.#doors = doors;
  }

  ask(ask: Ask): Promise<Got> {
    return new Promise((resolve, reject) => {
      const request = this.#request(ask);
      const early: number[] = [];
      request.on('error', reject);
      request.on('continue', () => early.push(100));
      request.on('response', (response) => {
        const headers: Record<string, string> = {};
        for (const [name, values] of Object.entries(response.headersDistinct)) {
          headers[name] = values!.join(', ');
        }
        collected(response).then(
          (text) => resolve({ status: response.statusCode!, headers, text, early }),
          reject,
        );
      });
      request.end(ask.body);
    });
  }

  open(ask: Ask): Open {
    const request = this.#request(ask);
    const answer = new Promise<{ status: number; down: IncomingMessage }>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (down) => resolve({ status: down.statusCode!, down }));
    });
    answer.catch(() => undefined);
    return { up: request, answer, cancel: () => request.destroy() };
  }

  close(): void {}

  #request({ method = 'GET', path = '/', headers = {}, host = HOST }: Ask): ClientRequest {
    const { httpPort, httpsPort, ca } = this.#doors;
    const all = { Host: host, ...headers };
    const common = { host: '127.0.0.1', method, path, headers: all, agent: false } as const;
    if (this.name === 'HTTP/1.1') return httpRequest({ ...common, port: httpPort });
    return httpsRequest({ ...common, port: httpsPort, ca, servername: HOST });
  }
}

class Http2Client implements Client {
  readonly name = 'HTTP/2';
  readonly session: ClientHttp2Session;

  constructor({ httpsPort, ca }: Doors) {
    this.session = http2Connect(`https://127.0.0.1:${httpsPort}`, {
      ca,
      servername: HOST,
      maxSessionMemory: 256,
    });
    this.session.on('error', () => undefined);
  }

  ask(ask: Ask): Promise<Got> {
    return new Promise((resolve, reject) => {
      const stream = this.#request(ask);
      const early: number[] = [];
      stream.on('error', reject);
      stream.on('continue', () => early.push(100));
      stream.on('response', (got) => {
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(got)) {
          if (!name.startsWith(':')) headers[name] = Array.isArray(value) ? value.join(', ') : String(value);
        }
        collected(stream).then((text) => resolve({ status: got[':status']!, headers, text, early }), reject);
      });
      stream.on('close', () => {
        if (stream.rstCode !== 0) reject(new Error(`The stream was reset with ${stream.rstCode}.`));
      });
      stream.end(ask.body);
    });
  }

  open(ask: Ask): Open {
    const stream = this.#request(ask);
    const answer = new Promise<{ status: number; down: Duplex }>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('response', (headers) => resolve({ status: headers[':status']!, down: stream }));
    });
    answer.catch(() => undefined);
    return { up: stream, answer, cancel: () => stream.close(8) };
  }

  close(): void {
    this.session.destroy();
  }

  #request({ method = 'GET', path = '/', headers = {}, host = HOST, body }: Ask): ClientHttp2Stream {
    const pseudo = { ':method': method, ':path': path, ':authority': host, ':scheme': 'https' };
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    return this.session.request({ ...pseudo, ...length, ...headers }, { endStream: false });
  }
}

/** Rejects where it breaks off. */
async function collected(readable: Duplex | IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readable) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
