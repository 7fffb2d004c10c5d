import { CR, LF, TAB, SPACE, TOKEN, FIELD_VALUE } from './grammar.ts';
import { bad } from './refusals.ts';
import { readFieldLines } from './request-head.ts';

/**
 *   size ──hex digits──▶ extensions ──CRLF──▶ data ──all of it──▶ data-end ──CRLF──▶ size …
 *                                      └─ size 0 ──▶ trailers ──empty line──▶ whole
 */
type State = 'size' | 'extensions' | 'data' | 'data-end' | 'trailers' | 'whole';

/** A chunk's extensions are read and passed over; beyond this many bytes in one body they are an attack. */
const MAX_EXTENSION_BYTES = 4 * 1024;
const MAX_TRAILER_BYTES = 8 * 1024;
const MAX_TRAILERS = 64;
const NO_BYTES = Buffer.alloc(0);

/** Reads a chunked body (RFC 9112, 7.1), however it was cut on its way. Holds nothing but a line that is not yet whole. */
export class ChunkedDecoder {
  #state: State = 'size';
  /** Of the present chunk: bytes still to come. */
  #missing = 0;
  #digits = 0;
  #extensionBytes = 0;
  #line: Buffer = NO_BYTES;
  #sawCr = false;

  get whole(): boolean {
    return this.#state === 'whole';
  }

  /**
   * Reads `chunk` from `at` on, as far as the body goes.
   * @returns where it stopped: behind the body where that is whole, else at the chunk's end. Throws `bad-request`.
   */
  push(chunk: Buffer, at: number, data: (bytes: Buffer) => void): number {
    while (at < chunk.length && this.#state !== 'whole') {
      switch (this.#state) {
        case 'size':
          at = this.#size(chunk, at);
          break;
        case 'extensions':
          at = this.#extensions(chunk, at);
          break;
        case 'data': {
          const end = Math.min(at + this.#missing, chunk.length);
          this.#missing -= end - at;
          if (this.#missing === 0) this.#state = 'data-end';
          data(chunk.subarray(at, end));
          at = end;
          break;
        }
        case 'data-end':
          this.#lineEnd(chunk[at++]!, 'A chunk is longer or shorter than it says.');
          break;
        case 'trailers':
          at = this.#trailers(chunk, at);
          break;
      }
    }
    return at;
  }

  #size(chunk: Buffer, at: number): number {
    for (; at < chunk.length; at++) {
      const digit = hexValue(chunk[at]!);
      if (digit < 0) {
        if (this.#digits === 0) throw bad('A chunk does not begin with its size.');
        this.#state = 'extensions';
        return at;
      }
      this.#missing = this.#missing * 16 + digit;
      if (++this.#digits > 16 || this.#missing > Number.MAX_SAFE_INTEGER) {
        throw bad('A chunk is larger than can be counted.');
      }
    }
    return at;
  }

  /** What stands between the size and the end of its line is gathered, for its grammar needs all of it. */
  #extensions(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at);
    const stop = end === -1 ? chunk.length : end + 1;
    this.#extensionBytes += stop - at;
    if (this.#extensionBytes > MAX_EXTENSION_BYTES) throw bad('The chunk extensions are too large.');
    const piece = chunk.subarray(at, stop);
    this.#line = this.#line.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#line, piece]);
    if (end === -1) return stop;
    const line = this.#line.toString('latin1');
    this.#line = NO_BYTES;
    if (!line.endsWith('\r\n')) throw bad('A line ends with a bare line feed.');
    if (line.length > 2) checkExtensions(line.slice(0, -2));
    this.#digits = 0;
    this.#state = this.#missing === 0 ? 'trailers' : 'data';
    // An empty line, CRLF alone, counts only where the size line was whole: it adds nothing to bound.
    this.#extensionBytes -= 2;
    return stop;
  }

  #trailers(chunk: Buffer, at: number): number {
    const from = this.#line.length;
    this.#line = from === 0 ? chunk.subarray(at) : Buffer.concat([this.#line, chunk.subarray(at)]);
    const end = trailersEnd(this.#line);
    if (end === -1) {
      if (this.#line.length > MAX_TRAILER_BYTES) throw bad('The trailers are too large.');
      checkLineEnds(this.#line);
      // A copy: a view would keep everything alive that was read with it.
      this.#line = Buffer.from(this.#line);
      return chunk.length;
    }
    if (end > MAX_TRAILER_BYTES) throw bad('The trailers are too large.');
    if (end > 2) readFieldLines(this.#line.toString('latin1', 0, end - 4), MAX_TRAILERS);
    this.#line = NO_BYTES;
    this.#state = 'whole';
    return at + end - from;
  }

  #lineEnd(code: number, otherwise: string): void {
    if (!this.#sawCr) {
      if (code !== CR) throw bad(otherwise);
      this.#sawCr = true;
      return;
    }
    if (code !== LF) throw bad(otherwise);
    this.#sawCr = false;
    this.#missing = 0;
    this.#state = 'size';
  }
}

/** Where the trailers and the empty line behind them end; -1 where that has not come. */
function trailersEnd(bytes: Buffer): number {
  if (bytes.length >= 2 && bytes[0] === CR && bytes[1] === LF) return 2;
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  return end === -1 ? -1 : end + 4;
}

/** Throws where a line feed comes without its carriage return, or the other way round: no end would ever be found. */
export function checkLineEnds(bytes: Buffer, from = 0): void {
  for (let i = from; i < bytes.length; i++) {
    const code = bytes[i]!;
    if (code === LF && bytes[i - 1] !== CR) throw bad('A line ends with a bare line feed.');
    if (code === CR && i + 1 < bytes.length && bytes[i + 1] !== LF) {
      throw bad('A carriage return ends no line.');
    }
    if (code !== CR && code !== LF && FIELD_VALUE[code] !== 1) throw bad('A control character in a header.');
  }
}

/** chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ). Throws where it is none. */
function checkExtensions(text: string): void {
  let at = 0;
  const spaces = (): void => {
    while (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB) at++;
  };
  const token = (): boolean => {
    const from = at;
    while (at < text.length && TOKEN[text.charCodeAt(at)] === 1) at++;
    return at > from;
  };
  while (at < text.length) {
    spaces();
    if (text[at++] !== ';') throw bad('A chunk size is followed by something that is no extension.');
    spaces();
    if (!token()) throw bad('A chunk extension has no name.');
    const nameEnd = at;
    spaces();
    if (text[at] !== '=') {
      at = nameEnd;
      continue;
    }
    at++;
    spaces();
    if (text[at] === '"' ? !quotedString() : !token()) throw bad('A chunk extension has no proper value.');
  }

  function quotedString(): boolean {
    for (at++; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 34 /* " */) {
        at++;
        return true;
      }
      if (code === 92 /* \ */) at++;
      if (FIELD_VALUE[text.charCodeAt(at)] !== 1) return false;
    }
    return false;
  }
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
