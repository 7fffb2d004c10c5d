import type { WaitingWork } from '../model/work-window.ts';
import { decideWorkWindow, type WindowMemory, type WindowView } from './decide-work-window.ts';
import { promiseOf, shareOf, type OtherShare } from './share-window.ts';

/** What was said of kept work tells nothing of what it is like after this. */
const STALE_MS = 3_000;

interface Asked extends OtherShare {
  readonly atMs: number;
}

/** What one unit knows of the work that is kept for its members, and how much of that may be under way. */
export class KeptWork {
  #memory: WindowMemory | null = null;
  readonly #asked = new Map<string, Asked>();

  /**
   * See {@link WorkWindow}. A group has one window, of which each member that asks gets its share.
   * @param view all but what is remembered; its work and limits are the member's.
   */
  window(member: string, view: WindowView, nowMs: number): number {
    this.#forget(member, nowMs);
    const others = [...this.#asked.values()];
    if (view.most === 0) {
      if (others.length === 0) this.#memory = null;
      return 0;
    }
    const work = together([view.work, ...others.map((other) => other.work)]);
    // Limits are a member's own: where it has reached them the window is not full.
    const whole = { work, most: others.length === 0 ? view.most : null };
    const { size, memory } = decideWorkWindow(
      view.mode === 'function' ? { ...view, ...whole, memory: this.#memory } : { ...view, ...whole },
      nowMs,
    );
    // What a service has had under way says nothing of what its functions may.
    this.#memory = memory;
    const share = Math.min(view.most ?? Number.POSITIVE_INFINITY, shareOf(size, others));
    this.#asked.set(member, { work: view.work, promised: promiseOf(share, view.work), atMs: nowMs });
    return share;
  }

  /** What was asked for a moment ago, by all members together; null: nothing was, or nothing waits. */
  latest(nowMs: number): WaitingWork | null {
    this.#forget(null, nowMs);
    if (this.#asked.size === 0) return null;
    const work = together([...this.#asked.values()].map((one) => one.work));
    return work.waiting === 0 ? null : work;
  }

  /** What is said anew, and what is too old. */
  #forget(member: string | null, nowMs: number): void {
    for (const [name, { atMs }] of this.#asked)
      if (name === member || nowMs - atMs > STALE_MS) this.#asked.delete(name);
  }
}

function together(all: readonly WaitingWork[]): WaitingWork {
  return {
    waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
    oldestMs: Math.max(...all.map(({ oldestMs }) => oldestMs)),
    underWay: all.reduce((sum, { underWay }) => sum + underWay, 0),
  };
}
