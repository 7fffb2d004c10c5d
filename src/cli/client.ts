import type { ClientRequest, IncomingMessage } from 'node:http';
import { ERRORS, FulcrumError, type ErrorCode } from '../base/errors.ts';
import type { DeployStep } from '../control/host-port.ts';
import type { Problem } from '../control/problem.ts';
import type { ServerEntry } from '../control/registry.ts';
import type { Health, ReleaseSummary, StepLine } from '../control/schemas.ts';

type ServerKind = ServerEntry['kind'];

/** Where a server is: this machine's Unix socket, or an admin address with a token. */
export type ServerPlace =
  | { readonly kind: 'socket'; readonly socketPath: string; readonly server?: ServerKind }
  | { readonly kind: 'url'; readonly url: URL; readonly token: string };

const CONNECT_TIMEOUT_MS = 10_000;
/** Streams carry a heartbeat every 15 s. */
const SILENCE_MS = 60_000;
const MAX_SHOWN = 200;

/**
 * Talks to a running server. Every method rejects with `server-unreachable`, or with what the server refused with. Paths are those
 * below `/v1`. No token goes to an address before it has answered as an admin API: the port of an app is easily taken for it.
 */
export class ControlClient {
  readonly place: ServerPlace;
  #known: Promise<void> | null = null;

  constructor(place: ServerPlace) {
    this.place = place;
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path, null);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('POST', path, JSON.stringify(body));
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('PUT', path, JSON.stringify(body));
  }

  delete<T>(path: string): Promise<T> {
    return this.#json<T>('DELETE', path, null);
  }

  /** The values of an answer in newline-delimited JSON, as they come. Ends when the server ends it. */
  lines<T>(path: string): AsyncGenerator<T> {
    return this.#lines<T>('GET', path, null);
  }

  /**
   * Asks for a deploy, rollback or reload, and tells its steps. Rejects with what it failed with; with `server-unreachable` where
   * the connection broke off, and then nobody knows how it ended.
   */
  async steps(path: string, body: unknown, onStep: (step: DeployStep) => void): Promise<ReleaseSummary> {
    let begun = false;
    try {
      for await (const line of this.#lines<StepLine>('POST', path, JSON.stringify(body))) {
        begun = true;
        if (line.kind === 'step') onStep(line.step);
        if (line.kind === 'error') throw errorOf(line.error);
        if (line.kind === 'result') return line.release;
      }
    } catch (error) {
      if (!begun || !(error instanceof FulcrumError) || error.code !== 'server-unreachable') throw error;
    }
    throw new FulcrumError(
      'server-unreachable',
      'The connection to the server broke off. What had begun goes on there by itself: `fulcrum releases` shows how it ended.',
    );
  }

  /** Sends `content` as a tar, as fast as the server takes it. Rejects with what `content` throws, too. */
  async upload<T>(path: string, content: AsyncIterable<Uint8Array>): Promise<T> {
    await this.#knowIt();
    const { Readable, pipeline } = process.getBuiltinModule('node:stream');
    const failure: { thrown: { error: unknown } | null } = { thrown: null };
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* content;
      } catch (error) {
        failure.thrown = { error };
        throw error;
      }
    }
    const sent = this.#request('PUT', path, { 'content-type': 'application/x-tar' });
    const answered = this.#answered(sent);
    // A server that refuses answers early and then closes: its answer says more than the broken pipe.
    pipeline(Readable.from(watched(), { objectMode: false }), sent, () => undefined);
    try {
      return JSON.parse(await this.#textOf(await answered)) as T;
    } catch (error) {
      if (failure.thrown !== null) throw failure.thrown.error;
      throw error;
    }
  }

  async *#lines<T>(method: string, path: string, body: string | null): AsyncGenerator<T> {
    const response = await this.#send(method, path, body);
    response.socket.setTimeout(SILENCE_MS, () => response.destroy(new Error('nothing came for a minute')));
    let rest = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) {
        const lines = (rest + (chunk as string)).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line !== '') yield JSON.parse(line) as T;
      }
    } catch (error) {
      throw error instanceof FulcrumError ? error : unreachable(this.place, error);
    }
  }

  async #json<T>(method: string, path: string, body: string | null): Promise<T> {
    const response = await this.#send(method, path, body);
    const text = await this.#textOf(response);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw foreign(this.place, text);
    }
  }

  async #send(method: string, path: string, body: string | null): Promise<IncomingMessage> {
    await this.#knowIt();
    const sent = this.#request(method, path, body === null ? {} : { 'content-type': 'application/json' });
    const answered = this.#answered(sent);
    sent.end(body ?? undefined);
    return await answered;
  }

  #knowIt(): Promise<void> {
    this.#known ??= this.place.kind === 'url' ? this.#askWhoThatIs() : Promise.resolve();
    return this.#known;
  }

  async #askWhoThatIs(): Promise<void> {
    const sent = this.#request('GET', '/health', {}, null);
    const answered = this.#answered(sent);
    sent.end();
    const text = await this.#textOf(await answered);
    if (!isHealth(text)) throw foreign(this.place, text);
  }

  /** @param token null: without. */
  #request(
    method: string,
    path: string,
    headers: Record<string, string>,
    token: string | null = tokenOf(this.place),
  ): ClientRequest {
    const { place } = this;
    // Importing node:http would load fetch and its kin as well, which takes longer than all the rest of a command.
    if (place.kind === 'socket') {
      const { request } = process.getBuiltinModule('node:http');
      return request({ socketPath: place.socketPath, method, path: `/v1${path}`, headers, agent: false });
    }
    const { request } = process.getBuiltinModule(
      place.url.protocol === 'https:' ? 'node:https' : 'node:http',
    );
    const { hostname, port, pathname } = place.url;
    const sent = request({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      ...(port === '' ? {} : { port }),
      method,
      path: `${pathname.replace(/\/$/, '')}/v1${path}`,
      headers: token === null ? headers : { ...headers, authorization: `Bearer ${token}` },
      agent: false,
    });
    const timer = setTimeout(() => sent.destroy(new Error('no connection within 10 s')), CONNECT_TIMEOUT_MS);
    sent.once('socket', (socket) => {
      socket.once(place.url.protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(timer));
    });
    sent.once('close', () => clearTimeout(timer));
    return sent;
  }

  async #answered(sent: ClientRequest): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // For as long as it lives: once it is answered, what still breaks is told by the answer.
      sent.on('error', (error) => reject(unreachable(this.place, error)));
      sent.once('response', resolve);
    });
    if (response.statusCode! >= 300) throw problemError(this.place, await this.#textOf(response));
    return response;
  }

  async #textOf(response: IncomingMessage): Promise<string> {
    let text = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    } catch (error) {
      throw unreachable(this.place, error);
    }
    return text;
  }
}

function problemError(place: ServerPlace, text: string): FulcrumError {
  try {
    return errorOf(JSON.parse(text) as Problem);
  } catch {
    return foreign(place, text);
  }
}

/** Throws where it is no problem of an admin API. */
function errorOf(problem: Problem): FulcrumError {
  const { type: _t, title: _i, status, detail, code, ...details } = problem;
  if (typeof detail !== 'string' || typeof code !== 'string')
    throw new TypeError('no problem of an admin API');
  if (Object.hasOwn(ERRORS, code)) return new FulcrumError(code as ErrorCode, detail, { details });
  return new FulcrumError(
    typeof status === 'number' && status < 500 ? 'bad-request' : 'server-unreachable',
    `${detail} (The server says '${code}', which this version of the command does not know: install the server's version.)`,
    { details },
  );
}

function tokenOf(place: ServerPlace): string | null {
  return place.kind === 'url' ? place.token : null;
}

function isHealth(text: string): boolean {
  try {
    return (JSON.parse(text) as Partial<Health> | null)?.api === 'fulcrum';
  } catch {
    return false;
  }
}

function foreign(place: ServerPlace, text: string): FulcrumError {
  const where = place.kind === 'url' ? place.url.origin : place.socketPath;
  return new FulcrumError(
    'server-unreachable',
    `What answers at ${where} is no admin API of Fulcrum. That has a port of its own, which \`fulcrum serve\` prints as it starts (8081, where nothing else was said). It said: ${saidIn(text).slice(0, MAX_SHOWN)}`,
  );
}

/** Of a problem document what it says; else all of it on one line. */
function saidIn(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
  } catch {
    // Something else, then.
  }
  return text.trim().replaceAll(/\s+/g, ' ') || '(nothing)';
}

function unreachable(place: ServerPlace, cause: unknown): FulcrumError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new FulcrumError(
    'server-unreachable',
    place.kind === 'socket'
      ? `The server does not answer any more. ${againHow(place.server)}`
      : `The server at ${place.url.origin} does not answer${why}. Look whether it runs, and whether the address is the admin API's.`,
    { cause },
  );
}

function againHow(server: ServerKind | undefined): string {
  if (server === 'dev') return 'Look at the terminal it runs in, or start it again with `fulcrum dev`.';
  const how =
    'Look at the terminal it runs in or at its journal (`journalctl -u fulcrum`), or start it again with';
  return server === 'serve' ? `${how} \`fulcrum serve\`.` : `${how} \`fulcrum serve\` or \`fulcrum dev\`.`;
}
