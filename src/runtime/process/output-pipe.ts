import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import { formatBytes } from '../../base/bytes.ts';
import { LineSplitter } from './line-splitter.ts';
import { TokenBucket } from './token-bucket.ts';

/** A longer line is cut. */
const MAX_LINE_BYTES = 16 * 1024;

/** What is kept of one stream: this much on average… */
const KEPT_BYTES_PER_S = 1024 * 1024;
/** …and this much at once. */
const KEPT_BURST_BYTES = 4 * 1024 * 1024;
/** A line costs this much beside its bytes: a flood of empty lines is work for everyone behind. */
const LINE_COST_BYTES = 64;

/**
 * What is read of it at all, to be thrown away beyond the above. A process that writes faster waits for its pipe:
 * reading gigabytes only to drop them would take the server's event loop away from everybody else.
 */
const READ_BYTES_PER_S = 16 * 1024 * 1024;
const READ_BURST_BYTES = 8 * 1024 * 1024;

/** How often a flooding process is told of at most. */
const TELL_EVERY_MS = 1_000;

/** Reads one output stream of a process into lines, within bounds whatever the process writes. */
export class OutputPipe {
  readonly #stream: Readable;
  readonly #clock: Clock;
  readonly #line: (text: string) => void;
  readonly #lines: LineSplitter;
  readonly #kept: TokenBucket;
  readonly #read: TokenBucket;
  #droppedBytes = 0;
  #tell: Timer | null = null;
  #pause: Timer | null = null;

  constructor(stream: Readable, clock: Clock, line: (text: string) => void) {
    this.#stream = stream;
    this.#clock = clock;
    this.#line = line;
    this.#kept = new TokenBucket(clock, KEPT_BYTES_PER_S, KEPT_BURST_BYTES);
    this.#lines = new LineSplitter(MAX_LINE_BYTES, (text) => {
      this.#kept.draw(LINE_COST_BYTES);
      line(text);
    });
    this.#read = new TokenBucket(clock, READ_BYTES_PER_S, READ_BURST_BYTES);
    stream.on('data', (chunk: Buffer) => this.#data(chunk));
    // A pipe's error (EIO on a killed process) says nothing that its end does not.
    stream.on('error', () => undefined);
  }

  /** Reads on without waiting: the process has ended, and what a pipe holds is little. */
  hurry(): void {
    this.#pause?.cancel();
    this.#pause = null;
    this.#stream.resume();
  }

  /** Nothing more is read. Tells the unfinished line and what was dropped. */
  finish(): void {
    this.#pause?.cancel();
    this.#tell?.cancel();
    this.#lines.end();
    this.#tellDropped();
    this.#stream.destroy();
  }

  #data(chunk: Buffer): void {
    if (this.#kept.take(chunk.length)) {
      this.#lines.push(chunk);
    } else {
      this.#droppedBytes += chunk.length;
      this.#tell ??= this.#clock.after(TELL_EVERY_MS, () => {
        this.#tell = null;
        this.#tellDropped();
      });
    }
    const waitMs = this.#read.draw(chunk.length);
    if (waitMs === 0) return;
    this.#stream.pause();
    this.#pause = this.#clock.after(waitMs, () => {
      this.#pause = null;
      this.#stream.resume();
    });
  }

  #tellDropped(): void {
    if (this.#droppedBytes === 0) return;
    const dropped = this.#droppedBytes;
    this.#droppedBytes = 0;
    this.#line(
      `(${formatBytes(dropped)} of output dropped: more than ${formatBytes(KEPT_BYTES_PER_S)} a second is not kept)`,
    );
  }
}
