import { STATUS_CODES } from 'node:http';
import { dateLine } from './http-date.ts';
import { GatheredOutput } from './gathered-output.ts';
import type { Socket } from 'node:net';

/** What a response's head says beside its status and fields. */
export interface ResponseFraming {
  /** Of the body; null where it is not known. */
  readonly bodyBytes: number | null;
  /** Whether a body is sent at all: not to HEAD, nor with 204 and 304, whatever length is told. */
  readonly sendsBody: boolean;
  /** Of the request: HTTP/1.0 knows no chunks. */
  readonly minor: 0 | 1;
  /** The connection ends with this answer. */
  readonly closes: boolean;
  /** Whether the fields say when it was made. */
  readonly dated: boolean;
}

/**
 *   idle ──begin()──▶ open (head and first pieces held back) ──flush──▶ sent ──end()──▶ idle
 *                       └───────────────────end()─────────────────────────────▶ idle
 */
export type WriterState = 'idle' | 'open' | 'sent';

/** What is held back until the turn of the loop ends, so that head and body leave in one piece. */
const MAX_HELD_BYTES = 16 * 1024;
/** Up to here a piece is sent as text with its frame: several buffers cost a system call's worth more. */
const MAX_TEXT_BYTES = 4 * 1024;
const LAST_CHUNK = '0\r\n\r\n';

/** Writes the answers of one connection, one after the other. */
export class ResponseWriter {
  readonly #socket: Socket;
  #state: WriterState = 'idle';
  #head = '';
  #held: Buffer[] = [];
  #heldBytes = 0;
  #framing: ResponseFraming | null = null;
  #chunked = false;
  #flushes = false;
  /** All that was ever given to the socket. */
  #writtenBytes = 0;
  readonly #output: GatheredOutput;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#output = new GatheredOutput(socket);
  }

  get state(): WriterState {
    return this.#state;
  }

  /** Bytes that the client's side of the system has not yet taken. */
  get pendingBytes(): number {
    return this.#socket.writableLength + this.#output.bytes;
  }

  /** Bytes that it has. */
  get takenBytes(): number {
    return this.#writtenBytes - this.pendingBytes;
  }

  /** `100 Continue`: the body is wanted. */
  continue(): void {
    this.#write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  /** @param lines valid fields, each with its line's end, and none that frames the message. */
  begin(status: number, lines: string, framing: ResponseFraming): void {
    this.#head = `${statusLine(status)}${framing.dated ? '' : dateLine()}${lines}`;
    this.#framing = framing;
    this.#state = 'open';
    this.#flushSoon();
  }

  /** Writes a whole answer, as `begin`, `data` and `end` would. */
  whole(status: number, lines: string, framing: ResponseFraming, body: Buffer): void {
    if (body.length > MAX_HELD_BYTES) {
      this.begin(status, lines, framing);
      this.data(body);
      this.end();
      return;
    }
    const { closes, minor, dated } = framing;
    const ending = closes ? 'Connection: close\r\n' : minor === 0 ? 'Connection: keep-alive\r\n' : '';
    const head = `${statusLine(status)}${dated ? '' : dateLine()}${lines}Content-Length: ${body.length}\r\n`;
    this.#write(`${head}${ending}\r\n${body.toString('latin1')}`);
  }

  /**
   * @param piece may be used anew when this returns.
   * @returns false when the socket's buffer is full: the source should wait for its `drain`. The piece is taken either way.
   */
  data(piece: Buffer): boolean {
    if (this.#state === 'open') {
      if (this.#heldBytes === 0 && piece.length > MAX_HELD_BYTES) return this.#sendWith(piece);
      this.#held.push(Buffer.from(piece));
      this.#heldBytes += piece.length;
      if (this.#heldBytes <= MAX_HELD_BYTES) return true;
      return this.#send(false);
    }
    if (!this.#chunked) return this.#writeBytes('', piece);
    if (piece.length <= MAX_TEXT_BYTES) {
      return this.#write(`${piece.length.toString(16)}\r\n${piece.toString('latin1')}\r\n`);
    }
    const size = `${piece.length.toString(16)}\r\n`;
    this.#writtenBytes += size.length + 2;
    this.#output.text(size);
    this.#output.add(piece);
    this.#output.text('\r\n');
    return this.#gathered(piece.length);
  }

  end(): void {
    if (this.#state === 'open') this.#send(true);
    else if (this.#chunked) this.#write(LAST_CHUNK);
    this.#output.write();
    this.#state = 'idle';
    this.#framing = null;
  }

  /** For {@link flushHeld} alone. */
  flush(): void {
    this.#flushes = false;
    if (this.#state === 'open') this.#send(false);
    this.#output.write();
  }

  #send(isWhole: boolean): boolean {
    const held = this.#held;
    const heldBytes = this.#heldBytes;
    const head = this.#head + this.#framingFields(isWhole);
    this.#head = '';
    this.#heldBytes = 0;
    this.#state = 'sent';
    if (heldBytes === 0) return this.#write(isWhole && this.#chunked ? head + LAST_CHUNK : head);
    this.#held = [];
    if (heldBytes > MAX_HELD_BYTES) return this.#sendLarge(head, held);
    // One string, which the socket turns into bytes on its way out: cheaper than several buffers by a system call's worth.
    let text = this.#chunked ? `${head}${heldBytes.toString(16)}\r\n` : head;
    for (const piece of held) text += piece.toString('latin1');
    if (this.#chunked) text += isWhole ? `\r\n${LAST_CHUNK}` : '\r\n';
    return this.#write(text);
  }

  /** The head, and a first piece that is too large to be held back. */
  #sendWith(piece: Buffer): boolean {
    const head = this.#head + this.#framingFields(false);
    this.#head = '';
    this.#state = 'sent';
    if (!this.#chunked) return this.#writeBytes(head, piece);
    this.#write(head);
    return this.data(piece);
  }

  #sendLarge(head: string, held: readonly Buffer[]): boolean {
    this.#write(head);
    let more = true;
    for (const piece of held) more = this.data(piece);
    return more;
  }

  /** What says how long the body is and whether the connection stays (RFC 9112, 6 and 9.3); with the empty line behind it. */
  #framingFields(isWhole: boolean): string {
    const { bodyBytes, sendsBody, minor, closes } = this.#framing!;
    let length = bodyBytes;
    // All of it is here, so that its length is known after all.
    if (length === null && sendsBody && isWhole) length = this.#heldBytes;
    this.#chunked = length === null && sendsBody && minor === 1;
    let text = length === null ? '' : `Content-Length: ${length}\r\n`;
    if (this.#chunked) text += 'Transfer-Encoding: chunked\r\n';
    if (closes) text += 'Connection: close\r\n';
    else if (minor === 0) text += 'Connection: keep-alive\r\n';
    return `${text}\r\n`;
  }

  #write(text: string): boolean {
    this.#output.write();
    this.#writtenBytes += text.length;
    return this.#socket.write(text, 'latin1');
  }

  #writeBytes(head: string, bytes: Buffer): boolean {
    if (this.#output.send(head, bytes)) {
      this.#writtenBytes += head.length + bytes.length;
      return !this.#socket.writableNeedDrain;
    }
    if (head !== '') this.#write(head);
    this.#output.add(bytes);
    return this.#gathered(bytes.length);
  }

  #gathered(bytes: number): boolean {
    this.#writtenBytes += bytes;
    this.#flushSoon();
    return !this.#socket.writableNeedDrain;
  }

  #flushSoon(): void {
    if (this.#flushes) return;
    this.#flushes = true;
    flushSoon(this);
  }
}

const statusLines: string[] = [];

function statusLine(status: number): string {
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`);
}

/** Those whose head waits for the turn of the loop to end. */
let waiting: ResponseWriter[] = [];

/**
 * A head is sent with the first bytes of the body where they follow at once, else by itself: a client of an event stream waits for
 * it. One tick serves all answers that begin in a turn.
 */
function flushSoon(writer: ResponseWriter): void {
  if (waiting.length === 0) process.nextTick(flushHeld);
  waiting.push(writer);
}

function flushHeld(): void {
  const due = waiting;
  waiting = [];
  for (const writer of due) writer.flush();
}
