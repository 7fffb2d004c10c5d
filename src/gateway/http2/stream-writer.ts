import { constants } from 'node:http2';
import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import { httpDate } from '../http1/http-date.ts';
import type { ResponseFraming } from '../http1/response-writer.ts';
import type { AnswerWriter } from '../request-stream.ts';

/** Node refuses to send others in HTTP/2. */
const MAX_STATUS = 599;

/** Writes one answer on a stream of HTTP/2. A stream that is gone takes all that it is given, and does nothing with it. */
export class StreamWriter implements AnswerWriter {
  readonly #stream: ServerHttp2Stream;
  #sendsBody = true;
  #state: 'begun' | 'ended' = 'begun';
  #writtenBytes = 0;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** Bytes that the client's windows, or its side of the system, have not yet taken. */
  get pendingBytes(): number {
    return this.#stream.destroyed ? 0 : this.#stream.bufferSize;
  }

  /** Bytes that they have. */
  get takenBytes(): number {
    return this.#writtenBytes - this.pendingBytes;
  }

  continue(): void {
    if (this.#isOpen) this.#stream.additionalHeaders({ ':status': 100 });
  }

  begin(status: number, lines: string, framing: ResponseFraming): void {
    if (status > MAX_STATUS) {
      throw new FulcrumError('bad-response', `The status ${status} cannot be sent over HTTP/2.`);
    }
    if (!this.#isOpen) return;
    this.#sendsBody = framing.sendsBody && framing.bodyBytes !== 0;
    const headers = headersOf(status, lines);
    if (!framing.dated) headers.push('date', httpDate());
    if (framing.bodyBytes !== null) headers.push('content-length', String(framing.bodyBytes));
    // Node ends a stream in good order before it resets it. Where no length tells the client that something is missing, that end is
    // held back until the answer is known to be whole.
    const holdsEnd = this.#sendsBody && framing.bodyBytes === null;
    this.#respond(headers, { endStream: !this.#sendsBody, waitForTrailers: holdsEnd });
    if (holdsEnd) this.#stream.once('wantTrailers', () => this.#ended());
  }

  whole(status: number, lines: string, framing: ResponseFraming, body: Buffer): void {
    try {
      this.begin(status, lines, framing);
    } catch {
      // Whoever hands over a whole answer takes it for sent.
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      return;
    }
    if (body.length > 0) this.data(body);
    this.end();
  }

  data(piece: Buffer): boolean {
    if (!this.#isOpen || !this.#sendsBody || this.#stream.writableEnded) return true;
    this.#writtenBytes += piece.length;
    // It waits for the client's window, while `piece` may be used anew.
    return this.#stream.write(Buffer.from(piece));
  }

  end(): void {
    this.#state = 'ended';
    if (this.#isOpen && this.#sendsBody) this.#stream.end();
  }

  /** What Node will not send is the component's doing: it must not come up where nobody expects an error. */
  #respond(headers: readonly string[], options: ServerStreamResponseOptions): void {
    try {
      this.#stream.respond(headers, options);
    } catch (error) {
      const message = `The head of the answer cannot be sent over HTTP/2: ${messageOf(error)}.`;
      throw new FulcrumError('bad-response', message, { cause: error });
    }
  }

  #ended(): void {
    if (this.#state === 'ended' && this.#isOpen) this.#stream.sendTrailers({});
  }

  get #isOpen(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed;
  }
}

/** Field lines as a list, with names in lower case (RFC 9113, 8.2). */
function headersOf(status: number, lines: string): string[] {
  const headers = [':status', String(status)];
  let at = 0;
  while (at < lines.length) {
    const colon = lines.indexOf(': ', at);
    const end = lines.indexOf('\r\n', colon);
    headers.push(lines.slice(at, colon).toLowerCase(), lines.slice(colon + 2, end));
    at = end + 2;
  }
  return headers;
}
