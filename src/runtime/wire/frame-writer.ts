import { FRAME, HEADER_BYTES } from './frames.ts';

/** Where bytes go: a socket. */
export interface ByteSink {
  cork(): void;
  uncork(): void;
  /** @param taken is called when the bytes are no longer needed. */
  write(bytes: Uint8Array, taken: () => void): unknown;
}

/** Holds the longest DATA frame. */
const SLAB_BYTES = 144 * 1024;
/** So many are kept, of all connections together: they come back when a sink has taken what is in them. */
const MAX_SPARE_SLABS = 32;
const spare: Buffer[] = [];
const NO_SLAB = Buffer.alloc(0);

/** Beyond this the sink is congested: twice what a Unix socket holds, and what still fits into a processor's own cache. */
const CONGESTED_BYTES = 512 * 1024;

/** Gathers frames and writes them once per turn of the event loop, so that a busy connection costs few system calls. */
export class FrameWriter {
  readonly #sink: ByteSink;
  /** Where the payload of the frame that was begun last is to be written. */
  slab: Buffer = NO_SLAB;
  /** Written full in this turn. */
  #full: Buffer[] = [];
  /** The slab's bytes before `#from` have been handed on. */
  #from = 0;
  #at = 0;
  #segments: Uint8Array[] = [];
  /** Whose payloads are among the segments. */
  #lent: (() => void)[] = [];
  #scheduled = false;
  /** Writes that the sink has not yet taken. */
  #outstanding = 0;
  /** A turn's frames wait for them. */
  #deferred = false;
  #beforeFlush: (() => void) | null = null;
  /** Bytes of frames that the sink has not yet taken. */
  #waitingBytes = 0;
  /** Of them: given to the sink. */
  #handedOnBytes = 0;
  #relieved: (() => void)[] = [];

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Begins a frame, and returns where in {@link slab} its payload of `length` bytes must be written, before anything else is. */
  begin(type: number, flags: number, stream: number, length: number): number {
    return this.#header(type, flags, stream, length, length);
  }

  /** The payload is copied: whoever gives it may use it anew. */
  bytes(type: number, flags: number, stream: number, payload: Uint8Array): void {
    const at = this.begin(type, flags, stream, payload.length);
    this.slab.set(payload, at);
  }

  /** A DATA frame of `text` as UTF-8, `bytes` long. */
  utf8(stream: number, text: string, bytes: number): void {
    const at = this.begin(FRAME.DATA, 0, stream, bytes);
    this.slab.write(text, at, 'utf8');
  }

  json(type: number, flags: number, stream: number, value: unknown): void {
    this.bytes(type, flags, stream, Buffer.from(JSON.stringify(value)));
  }

  /** `text` must be Latin-1. */
  text(type: number, flags: number, stream: number, text: string): void {
    const at = this.begin(type, flags, stream, text.length);
    this.slab.write(text, at, 'latin1');
  }

  data(stream: number, chunk: Uint8Array): void {
    this.bytes(FRAME.DATA, 0, stream, chunk);
  }

  /**
   * A DATA frame whose payload is written from where it is, so that it must stay as it is.
   * @param taken is called when it need no longer.
   */
  lend(stream: number, payload: Uint8Array, taken: (() => void) | null): void {
    this.#header(FRAME.DATA, 0, stream, payload.length, 0);
    this.#cut();
    this.#segments.push(payload);
    if (taken !== null) this.#lent.push(taken);
  }

  number(type: number, stream: number, value: number): void {
    const at = this.begin(type, 0, stream, 4);
    this.slab.writeUInt32LE(Math.min(Math.max(Math.round(value), 0), 0xffff_ffff), at);
  }

  /** Whether so much waits to be taken that whoever can hold its own back should. */
  get isCongested(): boolean {
    return this.#waitingBytes > CONGESTED_BYTES;
  }

  /** Calls `run` once, when the sink has taken what waits now. */
  whenRelieved(run: () => void): void {
    this.#relieved.push(run);
  }

  /** Calls `run` once, when this turn of the loop ends: what it writes still goes out with the rest of the turn. */
  beforeFlush(run: () => void): void {
    this.#beforeFlush = run;
    this.#schedule();
  }

  /** Writes what has been gathered, now. */
  flush(): void {
    this.#scheduled = false;
    const before = this.#beforeFlush;
    this.#beforeFlush = null;
    if (before !== null) {
      before();
      this.#scheduled = false;
    }
    this.#cut();
    const segments = this.#segments;
    if (segments.length === 0) return;
    this.#segments = [];
    // Nearly always the system takes all at once, and the slab comes back before this returns.
    const slabs = [...this.#full, this.slab];
    this.#full = [];
    this.slab = spare.pop() ?? NO_SLAB;
    this.#from = 0;
    this.#at = 0;
    const lent = this.#lent;
    this.#lent = [];
    const bytes = this.#waitingBytes - this.#handedOnBytes;
    this.#handedOnBytes += bytes;
    const taken = (): void => this.#taken(slabs, lent, bytes);
    this.#deferred = false;
    this.#outstanding += 1;
    if (segments.length === 1) {
      this.#sink.write(segments[0]!, taken);
      return;
    }
    this.#sink.cork();
    for (const [i, segment] of segments.entries()) {
      this.#sink.write(segment, i === segments.length - 1 ? taken : nothing);
    }
    this.#sink.uncork();
  }

  #taken(slabs: readonly Buffer[], lent: readonly (() => void)[], bytes: number): void {
    this.#outstanding -= 1;
    this.#waitingBytes -= bytes;
    this.#handedOnBytes -= bytes;
    for (const taken of lent) taken();
    for (const slab of slabs) {
      if (slab.length === SLAB_BYTES && spare.length < MAX_SPARE_SLABS) spare.push(slab);
    }
    if (this.#deferred && this.#outstanding === 0) this.flush();
    if (this.#relieved.length === 0 || this.isCongested) return;
    const relieved = this.#relieved;
    this.#relieved = [];
    for (const run of relieved) run();
  }

  /** @param slabBytes of the payload's length: all of it, or nothing where it is lent. */
  #header(type: number, flags: number, stream: number, length: number, slabBytes: number): number {
    const needed = HEADER_BYTES + slabBytes;
    this.#waitingBytes += HEADER_BYTES + length;
    if (this.slab.length - this.#at < needed) {
      this.#cut();
      if (this.slab.length === SLAB_BYTES) this.#full.push(this.slab);
      const isLong = needed > SLAB_BYTES;
      this.slab = (isLong ? null : spare.pop()) ?? Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, needed));
      this.#from = 0;
      this.#at = 0;
    }
    const at = this.#at;
    this.slab.writeUInt32LE(length, at);
    this.slab[at + 4] = type;
    this.slab[at + 5] = flags;
    this.slab.writeUInt32LE(stream, at + 6);
    this.#at = at + needed;
    this.#schedule();
    return at + HEADER_BYTES;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(flushScheduled, this);
  }

  /** For {@link flushScheduled} alone. */
  flushTurn(): void {
    if (!this.#scheduled) return;
    if (this.#outstanding === 0 || this.#full.length > 0) return this.flush();
    // The other side does not read: what more there is goes into the slab that is begun, and not into one for each turn.
    this.#scheduled = false;
    this.#deferred = true;
  }

  #cut(): void {
    if (this.#at === this.#from) return;
    this.#segments.push(this.slab.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

function nothing(): void {}

function flushScheduled(writer: FrameWriter): void {
  writer.flushTurn();
}
