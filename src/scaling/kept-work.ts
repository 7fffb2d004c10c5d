import type { WaitingWork } from '../model/work-window.ts';
import { decideWorkWindow, type WindowMemory, type WindowView } from './decide-work-window.ts';

/** What was said of kept work tells nothing of what it is like after this. */
const STALE_MS = 3_000;

/** What one component knows of the work that is kept for it, and how much of that may be under way. */
export class KeptWork {
  #memory: WindowMemory | null = null;
  #latest: WaitingWork | null = null;
  #latestAtMs = Number.NEGATIVE_INFINITY;

  /** See {@link WorkWindow}. @param view all but what is remembered. */
  window(view: WindowView, nowMs: number): number {
    this.#latest = view.work;
    this.#latestAtMs = nowMs;
    const { size, memory } = decideWorkWindow(
      view.mode === 'function' ? { ...view, memory: this.#memory } : view,
      nowMs,
    );
    // What a service has had under way says nothing of what its functions may.
    this.#memory = memory;
    return size;
  }

  /** What was asked for a moment ago; null: nothing was, or nothing waits. */
  latest(nowMs: number): WaitingWork | null {
    if (nowMs - this.#latestAtMs > STALE_MS || this.#latest?.waiting === 0) return null;
    return this.#latest;
  }
}
