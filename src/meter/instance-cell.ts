import type { InstanceMinute } from '../model/usage-store.ts';
import type { InstanceStretch } from '../model/usage.ts';
import type { Cell, CellKey } from './cell-book.ts';

/** What instances of one component or group lived in one minute, mode and revision. */
export class InstanceCell implements Cell<InstanceCell, InstanceMinute> {
  readonly part: string;
  readonly key: CellKey;
  touchedMs: number;
  dirty = false;
  sent = false;
  #started = 0;
  #livedMs = 0;
  #heldByteMs = 0;
  #watchedMs = 0;
  #usedByteMs = 0;
  #cpuMs = 0;

  constructor(part: string, key: CellKey, touchedMs: number) {
    this.part = part;
    this.key = key;
    this.touchedMs = touchedMs;
  }

  /** Counts `livedMs` of the stretch, with so much of its CPU time. */
  add({ memoryBytes, usedBytes }: InstanceStretch, livedMs: number, cpuMs: number, begins: boolean): void {
    if (begins) this.#started++;
    this.#livedMs += livedMs;
    this.#heldByteMs += livedMs * memoryBytes;
    this.#cpuMs += cpuMs;
    if (usedBytes === null) return;
    this.#watchedMs += livedMs;
    this.#usedByteMs += livedMs * usedBytes;
  }

  absorb(other: InstanceCell): void {
    this.touchedMs = Math.max(this.touchedMs, other.touchedMs);
    this.#started += other.#started;
    this.#livedMs += other.#livedMs;
    this.#heldByteMs += other.#heldByteMs;
    this.#watchedMs += other.#watchedMs;
    this.#usedByteMs += other.#usedByteMs;
    this.#cpuMs += other.#cpuMs;
  }

  snapshot(): InstanceMinute {
    return {
      part: this.part,
      unit: this.key.component,
      revision: this.key.revision,
      mode: this.key.mode,
      minuteMs: this.key.minuteMs,
      spanMs: this.key.spanMs,
      started: this.#started,
      livedMs: this.#livedMs,
      heldByteMs: this.#heldByteMs,
      watchedMs: this.#watchedMs,
      usedByteMs: this.#usedByteMs,
      cpuMs: this.#cpuMs,
    };
  }
}
