import type { LogEntry, LogSink } from '../model/log.ts';
import { matches, type LogFilter } from './log-filter.ts';
import { LogFollower, type LogListener } from './log-follower.ts';

/** What an entry costs beside its strings; V8's object and the ring's slot, measured generously. */
const ENTRY_OVERHEAD_BYTES = 200;
const FIELD_OVERHEAD_BYTES = 24;
/** A line of an entry that is longer is cut: one must not push out all the others. */
const MAX_TEXT_CHARS = 32_768;

export interface LogBookOptions {
  readonly maxEntries: number;
  /** Bound on an estimate of what the entries hold in memory. */
  readonly maxBytes: number;
}

export interface LogQuery extends LogFilter {
  /** At most so many, the latest ones. */
  readonly limit: number;
}

/** The app's recent log in memory: a ring bounded by count and bytes, which drops the oldest first. */
export class LogBook implements LogSink {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #ring: ({ entry: LogEntry; bytes: number } | undefined)[] = [];
  readonly #followers = new Set<LogFollower>();
  #first = 0;
  #count = 0;
  #bytes = 0;

  constructor(options: LogBookOptions) {
    this.#maxEntries = options.maxEntries;
    this.#maxBytes = options.maxBytes;
  }

  get entryCount(): number {
    return this.#count;
  }

  /** An estimate, never above `maxBytes`. */
  get bytes(): number {
    return this.#bytes;
  }

  write(written: LogEntry): void {
    const entry = cut(written);
    const bytes = estimateBytes(entry);
    for (const follower of this.#followers) follower.offer(entry, bytes);
    if (bytes > this.#maxBytes) return;
    while (this.#count === this.#maxEntries || this.#bytes + bytes > this.#maxBytes) this.#dropOldest();
    this.#ring[(this.#first + this.#count) % this.#maxEntries] = { entry, bytes };
    this.#count += 1;
    this.#bytes += bytes;
  }

  /** The latest entries that match, oldest first. */
  query(query: LogQuery): LogEntry[] {
    const found: LogEntry[] = [];
    for (let i = this.#count - 1; i >= 0 && found.length < query.limit; i--) {
      const { entry } = this.#ring[(this.#first + i) % this.#maxEntries]!;
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

  #dropOldest(): void {
    this.#bytes -= this.#ring[this.#first]!.bytes;
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#maxEntries;
    this.#count -= 1;
  }
}

function cut(entry: LogEntry): LogEntry {
  if (entry.text.length <= MAX_TEXT_CHARS) return entry;
  const more = entry.text.length - MAX_TEXT_CHARS;
  return { ...entry, text: `${entry.text.slice(0, MAX_TEXT_CHARS)}… (${more} more characters)` };
}

/** Cheap, for it runs once per line and request: no serialisation, one level of fields. */
function estimateBytes(entry: LogEntry): number {
  let bytes = ENTRY_OVERHEAD_BYTES + 2 * entry.text.length;
  for (const key in entry.fields) {
    const value = entry.fields[key];
    bytes += FIELD_OVERHEAD_BYTES + (typeof value === 'string' ? 2 * value.length : 8);
  }
  return bytes;
}
