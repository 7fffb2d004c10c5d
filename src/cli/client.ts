import type { ClientRequest, IncomingMessage } from 'node:http';
import { ERRORS, FulcrumError, type ErrorCode } from '../base/errors.ts';
import type { Problem } from '../control/problem.ts';

/** Talks to a running server over its Unix socket. Every method rejects with `server-unreachable`, or with what the server refused with. */
export class ControlClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path, null);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('POST', path, JSON.stringify(body));
  }

  /** The values of an answer in newline-delimited JSON, as they come. Ends when the server ends it. */
  async *lines<T>(path: string): AsyncGenerator<T> {
    const response = await this.#send('GET', path, null);
    let rest = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) {
        const lines = (rest + (chunk as string)).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line !== '') yield JSON.parse(line) as T;
      }
    } catch (error) {
      throw unreachable(error);
    }
  }

  async #json<T>(method: string, path: string, body: string | null): Promise<T> {
    const response = await this.#send(method, path, body);
    return JSON.parse(await textOf(response)) as T;
  }

  async #send(method: string, path: string, body: string | null): Promise<IncomingMessage> {
    // Importing node:http would load fetch and its kin as well, which takes longer than all the rest of a command.
    const { request } = process.getBuiltinModule('node:http');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = body === null ? {} : { 'content-type': 'application/json' };
      const sent: ClientRequest = request({
        socketPath: this.#socketPath,
        method,
        path: `/v1${path}`,
        headers,
        agent: false,
      });
      sent.once('error', (error) => reject(unreachable(error)));
      sent.once('response', resolve);
      sent.end(body ?? undefined);
    });
    if (response.statusCode! >= 400) throw problemError(await textOf(response));
    return response;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  } catch (error) {
    throw unreachable(error);
  }
  return text;
}

function problemError(text: string): FulcrumError {
  try {
    const problem = JSON.parse(text) as Problem;
    const code = problem.code in ERRORS ? (problem.code as ErrorCode) : 'internal';
    return new FulcrumError(code, problem.detail);
  } catch {
    return new FulcrumError(
      'internal',
      `The server answered with something that is no problem document: ${text}`,
    );
  }
}

function unreachable(cause: unknown): FulcrumError {
  return new FulcrumError(
    'server-unreachable',
    'The server does not answer any more. Look at the terminal it runs in, or start it again with `fulcrum dev`.',
    { cause },
  );
}
