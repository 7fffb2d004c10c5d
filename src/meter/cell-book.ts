import type { Mode } from '../model/app.ts';
import type { Outcome } from '../model/invocation.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** A cell that nothing was added to for so long is over; what still comes for its minute begins another part. */
const IDLE_MS = 90_000;
/** Stands for all revisions where even days are too many. */
const MANY_REVISIONS = '*';

/** What makes two things count together. */
export interface CellKey {
  /** Or the group, of instances. */
  readonly component: string;
  readonly revision: string;
  readonly mode: Mode;
  /** `ok` of instances, which have none. */
  readonly outcome: Outcome;
  readonly minuteMs: number;
  readonly spanMs: number;
}

/**
 * Counts that grow, of one key.
 *
 * `touchedMs` is monotonic time. `dirty`: holds more than was ever put into a batch. `sent`: was part of a batch, whether
 * that arrived or not; from then on it must keep its part and may not be folded, or it would be counted twice.
 */
export interface Cell<C, Stored> {
  readonly part: string;
  readonly key: CellKey;
  touchedMs: number;
  dirty: boolean;
  sent: boolean;
  /** Takes over what `other` has counted. */
  absorb(other: C): void;
  /** Its state so far, as it is stored. */
  snapshot(): Stored;
}

export interface BookOptions {
  /** Gives an id that was never given before. */
  nextPart: () => string;
  /** So many cells are held before old ones, waiting for a store that does not take them, are folded together. */
  maxCells: number;
}

type NewCell<C> = (part: string, key: CellKey, touchedMs: number) => C;

/**
 * Minutes that are being counted, and those that wait to be stored. Counts are never thrown away: where the store stays
 * away for so long that there are too many cells, those that were never sent are folded into their hour, then their day, then
 * into one for all revisions. Only the time gets coarser.
 */
export class CellBook<C extends Cell<C, Stored>, Stored> {
  readonly #options: BookOptions;
  readonly #newCell: NewCell<C>;
  /** Per component and start of minute: one cell for each outcome, mode and revision seen, which are few. */
  readonly #byComponent = new Map<string, Map<number, C[]>>();
  #dirty: C[] = [];
  #size = 0;
  #folded = 0;
  /** Below this size folding is not tried again, for it would find little. */
  #foldAgainAt = 0;

  constructor(options: BookOptions, newCell: NewCell<C>) {
    this.#options = options;
    this.#newCell = newCell;
  }

  /** How many cells are held. */
  get size(): number {
    return this.#size;
  }

  /** How many cells hold what is in no batch yet. */
  get waiting(): number {
    return this.#dirty.length;
  }

  /** How many cells were folded so far. */
  get folded(): number {
    return this.#folded;
  }

  /**
   * The cell to count in, which from now on waits to be taken.
   * @param minuteMs start of the minute or hour, @param nowMs monotonic.
   */
  protected cellOf(
    key: Omit<CellKey, 'minuteMs' | 'spanMs'>,
    minuteMs: number,
    spanMs: number,
    nowMs: number,
  ): C {
    const cell = this.#find(key, minuteMs, spanMs) ?? this.#createFor(key, minuteMs, spanMs, nowMs);
    cell.touchedMs = nowMs;
    this.#markDirty(cell);
    return cell;
  }

  /** At most `limit` cells that changed since they were last taken, oldest change first. */
  take(limit: number): Stored[] {
    const taken = this.#dirty.splice(0, limit);
    return taken.map((cell) => {
      cell.dirty = false;
      cell.sent = true;
      return cell.snapshot();
    });
  }

  /** Forgets cells that nothing waits for and nothing was added to for a while. @param nowMs monotonic. */
  evict(nowMs: number): void {
    this.#evictClean(nowMs - IDLE_MS);
  }

  #evictClean(untouchedSinceMs: number): void {
    for (const [component, minutes] of this.#byComponent) {
      for (const [minuteMs, cells] of minutes) {
        const live = cells.filter((cell) => cell.dirty || cell.touchedMs > untouchedSinceMs);
        if (live.length === cells.length) continue;
        this.#size -= cells.length - live.length;
        if (live.length > 0) minutes.set(minuteMs, live);
        else minutes.delete(minuteMs);
      }
      if (minutes.size === 0) this.#byComponent.delete(component);
    }
  }

  #createFor(key: Omit<CellKey, 'minuteMs' | 'spanMs'>, minuteMs: number, spanMs: number, nowMs: number): C {
    if (this.#size >= Math.max(this.#options.maxCells, this.#foldAgainAt)) this.#shrink();
    const { component, revision, mode, outcome } = key;
    return this.#create({ component, revision, mode, outcome, minuteMs, spanMs }, nowMs);
  }

  #find(key: Omit<CellKey, 'minuteMs' | 'spanMs'>, minuteMs: number, spanMs: number): C | null {
    const cells = this.#byComponent.get(key.component)?.get(minuteMs);
    if (cells === undefined) return null;
    for (const cell of cells) {
      if (
        cell.key.outcome === key.outcome &&
        cell.key.revision === key.revision &&
        cell.key.mode === key.mode &&
        cell.key.spanMs === spanMs
      ) {
        return cell;
      }
    }
    return null;
  }

  #create(key: CellKey, nowMs: number): C {
    const cell = this.#newCell(this.#options.nextPart(), key, nowMs);
    let minutes = this.#byComponent.get(key.component);
    if (minutes === undefined) this.#byComponent.set(key.component, (minutes = new Map()));
    const cells = minutes.get(key.minuteMs);
    if (cells === undefined) minutes.set(key.minuteMs, [cell]);
    else cells.push(cell);
    this.#size++;
    return cell;
  }

  #markDirty(cell: C): void {
    if (cell.dirty) return;
    cell.dirty = true;
    this.#dirty.push(cell);
  }

  /** Down to three quarters of what may be held, so that it is not done again for every new cell. */
  #shrink(): void {
    const enough = this.#options.maxCells * 0.75;
    // A clean cell can go at any time, even while a batch with it is under way: a new part begins.
    this.#evictClean(Infinity);
    const steps: [spanMs: number, revision: string | null][] = [
      [HOUR_MS, null],
      [DAY_MS, null],
      [DAY_MS, MANY_REVISIONS],
    ];
    for (const [spanMs, revision] of steps) {
      if (this.#size <= enough) break;
      this.#foldInto(spanMs, revision);
    }
    this.#foldAgainAt = this.#size + this.#options.maxCells / 8;
  }

  #foldInto(spanMs: number, revision: string | null): void {
    const kept: C[] = [];
    for (const cell of this.#dirty) {
      const key = foldedKey(cell.key, spanMs, revision);
      if (cell.sent || key === null) {
        kept.push(cell);
        continue;
      }
      let target = this.#find(key, key.minuteMs, key.spanMs);
      // A target may have been sent: it only grows under its own part. The source must not have been.
      target ??= this.#create(key, cell.touchedMs);
      if (!target.dirty) {
        target.dirty = true;
        kept.push(target);
      }
      target.absorb(cell);
      this.#remove(cell);
      this.#folded++;
    }
    this.#dirty = kept;
  }

  #remove(cell: C): void {
    const minutes = this.#byComponent.get(cell.key.component);
    const cells = minutes?.get(cell.key.minuteMs);
    if (minutes === undefined || cells === undefined) return;
    const rest = cells.filter((other) => other !== cell);
    this.#size -= cells.length - rest.length;
    if (rest.length > 0) minutes.set(cell.key.minuteMs, rest);
    else minutes.delete(cell.key.minuteMs);
    cell.dirty = false;
  }
}

/** The coarser key that `key` belongs to; null where it is as coarse already. */
function foldedKey(key: CellKey, spanMs: number, revision: string | null): CellKey | null {
  const wider = key.spanMs < spanMs;
  const merged = revision !== null && key.revision !== revision;
  if (!wider && !merged) return null;
  return {
    ...key,
    minuteMs: Math.floor(key.minuteMs / spanMs) * spanMs,
    spanMs,
    revision: revision ?? key.revision,
  };
}
