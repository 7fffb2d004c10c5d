import type { Mode } from '../model/app.ts';
import type { ArrivalBlock } from '../model/usage-store.ts';
import type { UsageRecord } from '../model/usage.ts';
import { OpenBlock } from './arrival-block.ts';

/** A block is closed before it would spill over an SQLite page of 4,096 bytes… */
const FULL_BYTES = 3_800;
/** …or when it has been open for so long, so that what is old can be pruned. */
const OPEN_MS = 3_600_000;

export interface ArrivalBookOptions {
  /** Gives an id that was never given before. */
  nextPart: () => string;
  /** So much may wait for the store; what arrives beyond it is not logged. */
  maxWaitingBytes: number;
}

interface Held {
  readonly block: OpenBlock;
  readonly openedMs: number;
  dirty: boolean;
}

/** The arrival log on its way to the store: one growing block per component and mode, and closed ones that wait. */
export class ArrivalBook {
  readonly #options: ArrivalBookOptions;
  readonly #open: Record<Mode, Map<string, Held>> = { function: new Map(), service: new Map() };
  /** Closed blocks that no batch holds the whole of yet. */
  #closed: Held[] = [];
  #closedBytes = 0;
  #dropped = 0;

  constructor(options: ArrivalBookOptions) {
    this.#options = options;
  }

  /** Arrivals that were not logged because too much waits for the store. */
  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    let waiting = this.#closed.length;
    for (const held of this.#all()) if (held.dirty) waiting++;
    return waiting;
  }

  /** @param nowMs monotonic. */
  add(record: UsageRecord, nowMs: number): void {
    const open = this.#open[record.mode];
    let held = open.get(record.component);
    if (held !== undefined && held.block.sizeBytes >= FULL_BYTES) {
      this.#close(held);
      held = undefined;
    }
    if (held === undefined) {
      if (this.#closedBytes >= this.#options.maxWaitingBytes) {
        this.#dropped++;
        return;
      }
      const block = new OpenBlock(this.#options.nextPart(), record.component, record.mode);
      held = { block, openedMs: nowMs, dirty: false };
      open.set(record.component, held);
    }
    held.dirty = true;
    held.block.add(
      Math.floor(record.arrivedAtMs),
      record.durationMs,
      record.cold,
      record.outcome === 'refused',
    );
  }

  /** At most `limit` blocks that hold more than was taken before: closed ones first. */
  take(limit: number): ArrivalBlock[] {
    const taken = this.#closed.splice(0, limit);
    for (const held of taken) this.#closedBytes -= held.block.sizeBytes;
    for (const held of this.#all()) {
      if (taken.length >= limit) break;
      if (held.dirty) taken.push(held);
    }
    return taken.map((held) => {
      held.dirty = false;
      return held.block.snapshot();
    });
  }

  /** Closes blocks that have been open for long. @param nowMs monotonic. */
  evict(nowMs: number): void {
    for (const held of this.#all()) if (nowMs - held.openedMs >= OPEN_MS) this.#close(held);
  }

  #close(held: Held): void {
    this.#open[held.block.mode].delete(held.block.component);
    if (!held.dirty) return;
    this.#closed.push(held);
    this.#closedBytes += held.block.sizeBytes;
  }

  *#all(): Generator<Held> {
    yield* this.#open.function.values();
    yield* this.#open.service.values();
  }
}
