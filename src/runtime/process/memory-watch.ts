import type { Clock, Timer } from '../../base/clock.ts';
import { measureProcess, privateMemoryBound } from './process-usage.ts';

/** A process whose memory has a limit. */
export interface Watched {
  readonly pid: number;
  readonly memoryBytes: number;
  /** Told once, with what the process held when it was found over its limit; it is no longer watched then. */
  exceeded(heldBytes: number): void;
}

/** Reads a process' private memory. `bound` is cheap and never too low, or null where there is no cheap way. */
export interface MemoryReader {
  bound(pid: number): number | null;
  exact(pid: number): Promise<number | null>;
}

const PERIOD_MS = 150;

const systemReader: MemoryReader = {
  bound: privateMemoryBound,
  exact: async (pid) => (await measureProcess(pid))?.memoryBytes ?? null,
};

/**
 * Looks at all watched processes' memory a few times a second and reports each that is over its limit.
 * What is allocated between two looks goes unseen; only the kernel could do better (cgroups).
 */
export class MemoryWatch {
  readonly #clock: Clock;
  readonly #reader: MemoryReader;
  readonly #watched = new Set<Watched>();
  #timer: Timer | null = null;
  #looking = false;

  constructor(clock: Clock, reader: MemoryReader = systemReader) {
    this.#clock = clock;
    this.#reader = reader;
  }

  /** @returns ends the watch of this one. */
  watch(subject: Watched): () => void {
    this.#watched.add(subject);
    // A round that takes longer than its period (a busy `ps`) is not overtaken by the next.
    this.#timer ??= this.#clock.every(PERIOD_MS, () => {
      if (this.#looking) return;
      this.#looking = true;
      void this.round().finally(() => {
        this.#looking = false;
      });
    });
    return () => this.#forget(subject);
  }

  /** Looks at each once. */
  async round(): Promise<void> {
    for (const subject of this.#watched) {
      const bound = this.#reader.bound(subject.pid);
      if (bound !== null && bound <= subject.memoryBytes) continue;
      const held = await this.#reader.exact(subject.pid);
      if (held === null || held <= subject.memoryBytes || !this.#watched.has(subject)) continue;
      this.#forget(subject);
      subject.exceeded(held);
    }
  }

  close(): void {
    for (const subject of this.#watched) this.#forget(subject);
  }

  #forget(subject: Watched): void {
    this.#watched.delete(subject);
    if (this.#watched.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }
}
