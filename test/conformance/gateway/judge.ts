import { connect } from 'node:net';
import { FulcrumError } from '../../../src/base/errors.ts';
import { failed, OK, readBody } from '../../../src/gateway/testing/fake-instance.ts';
import { GatewayFixture } from '../../../src/gateway/testing/gateway-fixture.ts';
import type { ReferenceRequest } from './reference-parser.ts';

/** A request as the component saw it. */
export interface Seen {
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** The gateway with one component on every path, which tells what it saw and answers `ok`. */
export class Judged {
  readonly fixture: GatewayFixture;
  readonly #seen = new Map<string, Seen[]>();

  constructor() {
    this.fixture = new GatewayFixture({ limits: { lingerMs: 200 } });
    this.fixture.runs('echo', ['/*'], {
      http: async (exchange) => {
        const { head, response, context } = exchange;
        let body: Buffer;
        try {
          body = await readBody(exchange);
        } catch (error) {
          return failed('handler-error', new FulcrumError('handler-error', 'broke', { cause: error }));
        }
        const seen = {
          id: context.requestId,
          method: head.method,
          target: head.target,
          headers: head.headers,
          body,
        };
        const caseOf = valueOf(head.headers, 'x-case') ?? '';
        this.#seen.set(caseOf, [...(this.#seen.get(caseOf) ?? []), seen]);
        response.head({ status: 200, headers: ['Content-Length', '2'] });
        response.data(Buffer.from('ok'));
        response.end();
        return OK;
      },
    });
  }

  async open(): Promise<void> {
    await this.fixture.listen();
  }

  /** What the component saw of the requests that carry `X-Case: name`, once. */
  take(name: string): readonly Seen[] {
    const seen = this.#seen.get(name) ?? [];
    this.#seen.delete(name);
    return seen;
  }

  /**
   * Sends pieces one after the other, each when the one before has been taken by the system, then ends its side and waits for the
   * other's end.
   * @returns all that came back.
   */
  async send(pieces: readonly Buffer[]): Promise<string> {
    const socket = connect({ port: this.fixture.port, host: '127.0.0.1', noDelay: true });
    let raw = '';
    const closed = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        raw += chunk.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
    });
    for (const piece of pieces) {
      if (socket.destroyed || !socket.writable) break;
      await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    }
    socket.end();
    await closed;
    return raw;
  }
}

/**
 * Cuts what came back into answers. `methods` are those of the requests, for an answer to HEAD has no body; the last answer may be to
 * something that had none.
 */
export function readAnswers(raw: string, methods: readonly string[]): Answer[] {
  const answers: Answer[] = [];
  let at = 0;
  while (at < raw.length) {
    const end = raw.indexOf('\r\n\r\n', at);
    if (end === -1) break;
    const head = raw.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
    at = end + 4;
    if (status < 200) continue;
    const isBare = methods[answers.length] === 'HEAD' || status === 204 || status === 304;
    const length = isBare ? 0 : Number(/^Content-Length: (\d+)$/im.exec(head)?.[1] ?? 0);
    if (raw.length < at + length && methods[answers.length] !== undefined) break;
    answers.push({ status, head, body: raw.slice(at, at + length) });
    at += length;
  }
  return answers;
}

const OURS =
  /^(?:x-forwarded-.*|x-request-id|x-real-ip|forwarded|via|traceparent|tracestate|max-forwards|expect)$/;
const HOP = /^(?:connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|proxy-.*)$/;
const KEPT = new Set(['host', 'content-length', 'close', 'keep-alive', 'upgrade', '']);

/** The fields of a request that are the client's own and go to the component (RFC 9110, 7.6.1). */
export function passedOn(request: ReferenceRequest): (readonly [string, string])[] {
  const named = new Set(
    request.fields
      .filter(([name]) => name === 'connection')
      .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase()))
      .filter((option) => !KEPT.has(option)),
  );
  return request.fields.filter(
    ([name]) => name !== 'host' && !OURS.test(name) && !HOP.test(name) && !named.has(name),
  );
}

/** The same of what the component saw. */
export function clientFields(headers: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    if (name !== 'host' && !OURS.test(name)) fields.push([name, headers[i + 1]!]);
  }
  return fields;
}

/** The path and query that a component sees for a target. */
export function seenTarget(target: string): string {
  const relative = target.replace(/^https?:\/\/[^/?#]*/i, '');
  const whole = relative.startsWith('/') ? relative : `/${relative}`;
  const mark = whole.indexOf('?');
  const path = mark === -1 ? whole : whole.slice(0, mark);
  const query = mark === -1 ? '' : whole.slice(mark);
  return (/\\|\/\.|%2e/i.test(path) ? new URL(`http://host${path}`).pathname : path) + query;
}

export function valueOf(headers: readonly string[], lower: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === lower) return headers[i + 1];
  return undefined;
}
