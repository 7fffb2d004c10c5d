import { FulcrumError } from '../base/errors.ts';
import type { Mode } from '../model/app.ts';
import type { Arrival, ArrivalBlock } from '../model/usage-store.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/**
 * Arrivals in three or four bytes each. An arrival is two varints: the distance in ms from the one recorded before (which may be
 * negative, for records come in the order they end), and its duration with two flags. The duration is kept as the logarithm to a base
 * that is right to within {@link DURATION_ERROR}: any duration up to hours then takes two bytes.
 */
export const DURATION_ERROR = 0.005;

const GAMMA = (1 + DURATION_ERROR) / (1 - DURATION_ERROR);
const STEPS_PER_E = 1 / Math.log(GAMMA);
const SMALLEST_MS = 0.001;
const LARGEST_MS = 1e10;
const LAST_STEP = stepOf(LARGEST_MS);
const COLD = 1;
const REFUSED = 2;
const FLAGS = 4;
const FORMAT = 1;

/** A block that still grows. */
export class OpenBlock {
  readonly part: string;
  readonly component: string;
  readonly mode: Mode;
  readonly #writer = new ByteWriter(128);
  #previousMs = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  #count = 0;

  constructor(part: string, component: string, mode: Mode) {
    this.part = part;
    this.component = component;
    this.mode = mode;
    this.#writer.byte(FORMAT);
  }

  get sizeBytes(): number {
    return this.#writer.length;
  }

  get count(): number {
    return this.#count;
  }

  /** @param arrivedAtMs in whole ms since the epoch. */
  add(arrivedAtMs: number, durationMs: number, cold: boolean, refused: boolean): void {
    this.#writer.signed(arrivedAtMs - this.#previousMs);
    this.#writer.unsigned(stepOf(durationMs) * FLAGS + (cold ? COLD : 0) + (refused ? REFUSED : 0));
    this.#previousMs = arrivedAtMs;
    if (arrivedAtMs < this.#firstMs) this.#firstMs = arrivedAtMs;
    if (arrivedAtMs > this.#lastMs) this.#lastMs = arrivedAtMs;
    this.#count++;
  }

  /** Its state so far, as it is stored. */
  snapshot(): ArrivalBlock {
    return {
      part: this.part,
      component: this.component,
      mode: this.mode,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      count: this.#count,
      bytes: this.#writer.toBytes(),
    };
  }
}

/** What a block holds, in the order it was recorded. Throws `store-failed` where it cannot be read. */
export function readArrivals(block: ArrivalBlock): Arrival[] {
  const arrivals: Arrival[] = [];
  try {
    const reader = new ByteReader(block.bytes);
    if (reader.byte() !== FORMAT) throw new RangeError('The format is unknown.');
    let atMs = 0;
    while (!reader.done) {
      atMs += reader.signed();
      const packed = reader.unsigned();
      if (packed >= (LAST_STEP + 1) * FLAGS) throw new RangeError('There is no such duration.');
      const flags = packed % FLAGS;
      arrivals.push({
        arrivedAtMs: atMs,
        durationMs: durationOf((packed - flags) / FLAGS),
        cold: (flags & COLD) !== 0,
        refused: (flags & REFUSED) !== 0,
        mode: block.mode,
      });
    }
  } catch (cause) {
    throw new FulcrumError(
      'store-failed',
      `A stored block of arrivals of "${block.component}" cannot be read; it is damaged or was written by a newer Fulcrum.`,
      { cause },
    );
  }
  return arrivals;
}

function stepOf(durationMs: number): number {
  if (!(durationMs > SMALLEST_MS)) return 0;
  return Math.ceil(Math.log(Math.min(durationMs, LARGEST_MS) / SMALLEST_MS) * STEPS_PER_E);
}

function durationOf(step: number): number {
  return step === 0 ? 0 : (SMALLEST_MS * 2 * GAMMA ** step) / (GAMMA + 1);
}
