import type { LogEntry, LogSink, PackedKind } from '../model/log.ts';
import { matches, type LogFilter } from './log-filter.ts';
import { LogFollower, type LogListener } from './log-follower.ts';
import { ByteRing } from './byte-ring.ts';

/** A line of an entry that is longer is cut: one must not push out all the others. */
const MAX_TEXT_CHARS = 32_768;

export interface LogBookOptions {
  readonly maxEntries: number;
  /** Of what is kept, as it is kept. */
  readonly maxBytes: number;
  /** Make an entry again of what it had packed itself into. Absent: none comes that does. */
  readonly unpack?: Unpackers;
}

type Unpackers = Readonly<Record<PackedKind, (packed: Buffer) => LogEntry>>;

export interface LogQuery extends LogFilter {
  /** At most so many, the latest ones. */
  readonly limit: number;
}

/** What may be asked of a log. */
export type LogReader = Pick<LogBook, 'query' | 'follow'>;

/** How an entry is kept, its first byte: as JSON, or as what an entry of that kind packed itself into. */
const JSON_TEXT = 0;
const PACKED: Readonly<Record<PackedKind, number>> = { access: 1, call: 2 };
const UNKNOWN: Unpackers = { access: unknown, call: unknown };

/** The app's recent log in memory, bounded by count and bytes; the oldest is dropped first. */
export class LogBook implements LogSink {
  readonly #ring: ByteRing;
  readonly #unpack: Unpackers;
  readonly #followers = new Set<LogFollower>();

  constructor({ maxEntries, maxBytes, unpack }: LogBookOptions) {
    this.#ring = new ByteRing(maxEntries, maxBytes);
    this.#unpack = unpack ?? UNKNOWN;
  }

  get entryCount(): number {
    return this.#ring.count;
  }

  /** Never above `maxBytes`. */
  get bytes(): number {
    return this.#ring.bytes;
  }

  write(written: LogEntry): void {
    const { packed } = written;
    if (packed === undefined) return this.#writeText(cut(written));
    const length = packed.lengthBytes;
    for (const follower of this.#followers) follower.offer(written, 2 * length);
    const at = this.#ring.push(1 + length);
    if (at < 0) return;
    this.#ring.buffer[at] = PACKED[packed.kind];
    packed.write(this.#ring.buffer, at + 1);
  }

  #writeText(entry: LogEntry): void {
    const text = JSON.stringify(entry);
    for (const follower of this.#followers) follower.offer(entry, 2 * text.length);
    const at = this.#ring.push(1 + Buffer.byteLength(text));
    if (at < 0) return;
    this.#ring.buffer[at] = JSON_TEXT;
    this.#ring.buffer.write(text, at + 1);
  }

  /** The latest entries that match, oldest first. */
  query(query: LogQuery): LogEntry[] {
    const found: LogEntry[] = [];
    for (let i = this.#ring.count - 1; i >= 0 && found.length < query.limit; i--) {
      const entry = this.#read(this.#ring.get(i));
      if (matches(query, entry)) found.push(entry);
    }
    return found.reverse();
  }

  /**
   * Hands every entry that is written from now on and matches to `listener`, in batches. A `query` and a `follow` in the
   * same tick together miss nothing and repeat nothing. A listener that throws or rejects is not called again.
   * @returns ends it.
   */
  follow(filter: LogFilter, listener: LogListener): () => void {
    const follower = new LogFollower(filter, listener, (ended) => this.#followers.delete(ended));
    this.#followers.add(follower);
    return () => follower.end();
  }

  #read(record: Buffer): LogEntry {
    const kept = record.subarray(1);
    if (record[0] === JSON_TEXT) return JSON.parse(kept.toString()) as LogEntry;
    return record[0] === PACKED.call ? this.#unpack.call(kept) : this.#unpack.access(kept);
  }
}

function unknown(): never {
  throw new Error('An entry of the log was packed by nobody known.');
}

function cut(entry: LogEntry): LogEntry {
  if (entry.text.length <= MAX_TEXT_CHARS) return entry;
  const more = entry.text.length - MAX_TEXT_CHARS;
  return { ...entry, text: `${entry.text.slice(0, MAX_TEXT_CHARS)}… (${more} more characters)` };
}
