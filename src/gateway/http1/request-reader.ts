import { FulcrumError } from '../../base/errors.ts';
import { trimmed } from '../../base/ows.ts';
import { readFields } from '../request-fields.ts';
import { checkLineEnds, ChunkedDecoder } from './chunked-decoder.ts';
import { CR, LF, TOKEN } from './grammar.ts';
import { bad, headersTooLarge, targetTooLong } from './refusals.ts';
import { readFieldLines, readRequestLine } from './request-head.ts';
import type { RequestFields } from '../request-fields.ts';

/** A request's head as it came. */
export interface Head {
  readonly method: string;
  readonly target: string;
  readonly minor: 0 | 1;
  readonly fields: RequestFields;
  /** Bytes of body that follow: 0 where there is none, null where their number is not known beforehand. */
  readonly bodyBytes: number | null;
  /** What the client asks to become of the connection afterwards (RFC 9112, 9.3). */
  readonly keepsAlive: boolean;
}

/** Where what is read goes. */
export interface ReaderSink {
  /** @returns `raw` where the connection is to become something else, and what follows is no HTTP. */
  head(head: Head): 'http' | 'raw';
  /** A piece of the body: a view that holds until this returns. */
  data(bytes: Buffer): void;
  /** The request's body is whole. Not called where it has none. */
  whole(): void;
}

export interface ReaderLimits {
  /** Request line and fields together. */
  readonly headerBytes: number;
  readonly headerCount: number;
}

/**
 *   between ──first byte──▶ head ──▶ body ──▶ held ──next()──▶ between …
 *                             └──────no body──▶┘
 *      └─ head of an upgrade ──▶ raw
 *
 * `held` has read a whole request: what follows it waits for `next`, so that one request is served at a time.
 */
export type ReaderState = 'between' | 'head' | 'body' | 'held' | 'raw';

/** Empty lines that are passed over before a request line: old clients send one behind a body (RFC 9112, 2.2). */
const MAX_EMPTY_LINES = 4;
const NO_BYTES = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Cuts what a connection gives into requests, wherever it was cut on the way, and refuses what is not to the letter of
 * RFC 9112: two readers of one message must never see two different ones. Knows no socket and no time.
 */
export class RequestReader {
  readonly #sink: ReaderSink;
  readonly #limits: ReaderLimits;
  #state: ReaderState = 'between';
  /** What has come of a head that is not yet whole, or behind a request that is not yet answered. */
  #rest: Buffer = NO_BYTES;
  #emptyLines = 0;
  #missing = 0;
  #chunked: ChunkedDecoder | null = null;
  #isRunning = false;
  /** Clients repeat their fields from request to request: the same text is not read twice. */
  #lastText = '';
  #lastFields: RequestFields | null = null;

  constructor(sink: ReaderSink, limits: ReaderLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  get state(): ReaderState {
    return this.#state;
  }

  /** Bytes that wait here. */
  get heldBytes(): number {
    return this.#rest.length;
  }

  /**
   * Throws `bad-request`, `headers-too-large`, `target-too-long`, … The reader is of no use then.
   * @param chunk may be used anew when this returns.
   */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const known = this.#rest.length;
    this.#rest = NO_BYTES;
    this.#run(bytes, this.#state === 'head' ? known : 0);
  }

  /** The request that was read last is done with. Throws as {@link push} does. */
  next(): void {
    if (this.#state !== 'held') throw new FulcrumError('internal', 'A request was left before it was read.');
    this.#state = 'between';
    this.#emptyLines = 0;
    if (this.#isRunning || this.#rest.length === 0) return;
    const rest = this.#rest;
    this.#rest = NO_BYTES;
    this.#run(rest, 0);
  }

  /** What came behind the head of an upgrade, once. */
  takeRest(): Buffer {
    const rest = this.#rest;
    this.#rest = NO_BYTES;
    return rest;
  }

  /** @param known bytes at the beginning that have been looked at already. */
  #run(bytes: Buffer, known: number): void {
    this.#isRunning = true;
    try {
      let at = 0;
      while (at < bytes.length) {
        if (this.#state === 'body') {
          at = this.#body(bytes, at);
        } else if (this.#state === 'between' || this.#state === 'head') {
          if (this.#state === 'between') {
            at = this.#skipEmptyLines(bytes, at);
            if (!beginsHead(bytes, at)) return this.#keep(bytes, at);
          }
          const end = this.#head(bytes, at, known);
          known = 0;
          if (end === -1) return this.#keep(bytes, at);
          at = end;
        } else {
          return this.#keep(bytes, at);
        }
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #keep(bytes: Buffer, at: number): void {
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** @returns where the head ends; -1 where it is not whole. */
  #head(bytes: Buffer, at: number, known: number): number {
    this.#state = 'head';
    const { headerBytes } = this.#limits;
    const end = bytes.indexOf(HEAD_END, Math.max(at, known - HEAD_END.length + 1));
    if (end === -1 || end - at > headerBytes) {
      this.#checkUnfinished(bytes, at, known, end === -1 ? bytes.length : end);
      return -1;
    }
    const text = bytes.toString('latin1', at, end);
    const lineEnd = text.indexOf('\r\n');
    const line = readRequestLine(lineEnd === -1 ? text : text.slice(0, lineEnd));
    const fields = this.#fields(lineEnd === -1 ? '' : text.slice(lineEnd + 2));
    const bodyBytes = bodyBytesOf(line.minor, fields);
    this.#begin(bodyBytes);
    const kind = this.#sink.head({
      method: line.method,
      target: line.target,
      minor: line.minor,
      fields,
      bodyBytes,
      keepsAlive: keepsAlive(line.minor, fields.connection),
    });
    if (kind === 'raw') this.#state = 'raw';
    return end + HEAD_END.length;
  }

  #fields(text: string): RequestFields {
    if (this.#lastFields !== null && text === this.#lastText) return this.#lastFields;
    const fields = readFields(readFieldLines(text, this.#limits.headerCount));
    this.#lastText = text;
    this.#lastFields = fields;
    return fields;
  }

  #begin(bodyBytes: number | null): void {
    // A request without a body is whole with its head: whoever takes that may be done with it before it returns.
    this.#state = bodyBytes === 0 ? 'held' : 'body';
    this.#missing = bodyBytes ?? 0;
    this.#chunked = bodyBytes === null ? new ChunkedDecoder() : null;
  }

  #body(bytes: Buffer, at: number): number {
    if (this.#chunked !== null) {
      const end = this.#chunked.push(bytes, at, (piece) => this.#sink.data(piece));
      if (this.#chunked.whole) this.#whole();
      return end;
    }
    const end = Math.min(at + this.#missing, bytes.length);
    this.#missing -= end - at;
    this.#sink.data(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.#missing === 0) this.#whole();
    return end;
  }

  #whole(): void {
    this.#state = 'held';
    this.#chunked = null;
    this.#sink.whole();
  }

  #skipEmptyLines(bytes: Buffer, from: number): number {
    let at = from;
    while (bytes[at] === CR && bytes[at + 1] === LF) {
      if (++this.#emptyLines > MAX_EMPTY_LINES) throw bad('Nothing but empty lines arrived.');
      at += 2;
    }
    return at;
  }

  /** What has come of a head that is not whole: too much already, or nothing that could become one? */
  #checkUnfinished(bytes: Buffer, at: number, known: number, end: number): void {
    const first = bytes[at]!;
    if (TOKEN[first] !== 1) throw bad('What arrived is no HTTP request.');
    checkLineEnds(bytes.subarray(0, end), Math.max(at, known - 1));
    const { headerBytes } = this.#limits;
    if (end - at <= headerBytes) return;
    if (bytes.subarray(at, at + headerBytes).indexOf(LF) === -1) throw targetTooLong(headerBytes);
    throw headersTooLarge(`A request's header may have ${headerBytes} bytes at most.`);
  }
}

/** Throws for a framing that two parties could read in two ways, the door of request smuggling (RFC 9112, 6.3 and 11.2). */
function bodyBytesOf(minor: 0 | 1, fields: RequestFields): number | null {
  const { transferEncoding, contentLength, contentLengths } = fields;
  if (transferEncoding === null) {
    if (contentLength === null) return 0;
    if (contentLengths > 1) throw bad('A request has one Content-Length field, not several.');
    if (!/^\d{1,16}$/.test(contentLength)) throw bad('The Content-Length field holds no length.');
    const length = Number(contentLength);
    if (!Number.isSafeInteger(length)) throw bad('The Content-Length field holds more than can be counted.');
    return length;
  }
  if (minor === 0) throw bad('HTTP/1.0 has no Transfer-Encoding.');
  if (contentLength !== null) throw bad('A request has Content-Length or Transfer-Encoding, never both.');
  const codings = transferEncoding.split(',').map((coding) => trimmed(coding).toLowerCase());
  if (codings.length === 1 && codings[0] === 'chunked') return null;
  if (codings.at(-1) !== 'chunked' || codings.indexOf('chunked') !== codings.length - 1) {
    throw bad('The body has a transfer coding after which nobody can tell where it ends.');
  }
  throw new FulcrumError(
    'coding-unsupported',
    'The only transfer coding that is understood here is chunked.',
  );
}

/** Whether something is there, and not just half of an empty line, which may yet be passed over. */
function beginsHead(bytes: Buffer, at: number): boolean {
  return at < bytes.length && !(bytes[at] === CR && at + 1 === bytes.length);
}

function keepsAlive(minor: 0 | 1, connection: string | null): boolean {
  if (connection === null) return minor === 1;
  const options = connection.toLowerCase().split(',');
  if (options.some((option) => trimmed(option) === 'close')) return false;
  return minor === 1 || options.some((option) => trimmed(option) === 'keep-alive');
}
