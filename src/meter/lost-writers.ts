import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { UsageStore, UsageWriter } from '../model/usage-store.ts';

/** How often a writer that has nothing to write says that it lives… */
export const BEAT_MS = 10_000;
/** …and how long it may be silent: longer than a store may take to answer again. */
const SILENT_MS = 60_000;
const LOOK_EVERY_MS = 15_000;

export interface LostWritersOptions {
  /** Id of the app. */
  readonly app: string;
  /** The writer that looks. */
  readonly self: string;
  readonly store: Pick<UsageStore, 'writers' | 'bury'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the process of that name has certainly ended; false where nobody can tell. */
  readonly hasEnded: (node: string) => boolean;
}

/**
 * Finds writers that have ended without a word, and writes down from when to when usage may be missing: what was in their memory. One
 * whose process is known to be gone is found at once. Of others, on other machines or of a container that is no more, what they say must
 * have stayed the same for a minute, by the monotonic clock of whoever looks: wall clocks differ, and are set forward and back.
 *
 * A gap reaches from the last write to when it was found out: when a process has ended nobody can tell later. What instances live comes
 * to their writer every ten seconds only: of that some may be missing that long before a gap, too.
 */
export class LostWriters {
  readonly #o: LostWritersOptions;
  #seen = new Map<string, { readonly wroteMs: number; readonly sinceMs: number }>();
  #lookedMs = -Infinity;
  #looking = false;

  constructor(options: LostWritersOptions) {
    this.#o = options;
  }

  /** One look, where one is due. Never rejects. */
  async step(): Promise<void> {
    const nowMs = this.#o.clock.monotonicMs();
    const passedMs = nowMs - this.#lookedMs;
    if (this.#looking || passedMs < LOOK_EVERY_MS) return;
    // This process has stood still itself: others may have written meanwhile, and be about to.
    if (passedMs > 2 * LOOK_EVERY_MS) this.#seen.clear();
    this.#lookedMs = nowMs;
    this.#looking = true;
    try {
      await this.#look(nowMs);
    } catch (error) {
      // While the store does not answer nobody can say anything.
      this.#seen.clear();
      this.#o.logger.warn({ err: error }, 'Writers of usage could not be looked at; it is tried again soon.');
    } finally {
      this.#looking = false;
    }
  }

  async #look(nowMs: number): Promise<void> {
    const { app, self, store } = this.#o;
    const seen = new Map<string, { wroteMs: number; sinceMs: number }>();
    for (const writer of await store.writers(app)) {
      if (writer.id === self) continue;
      if (this.#o.hasEnded(writer.node)) {
        await this.#bury(writer);
        continue;
      }
      const before = this.#seen.get(writer.id);
      const sinceMs = before?.wroteMs === writer.wroteMs ? before.sinceMs : nowMs;
      if (nowMs - sinceMs >= SILENT_MS) await this.#bury(writer);
      else seen.set(writer.id, { wroteMs: writer.wroteMs, sinceMs });
    }
    this.#seen = seen;
  }

  async #bury({ id, node, wroteMs }: UsageWriter): Promise<void> {
    const { app, store, clock, logger } = this.#o;
    const gap = { fromMs: wroteMs, toMs: Math.max(clock.nowMs(), wroteMs + 1) };
    // Another that looks may have been first, and has told.
    if (!(await store.bury(app, id, gap))) return;
    logger.warn(
      { app, ...gap, writer: id, node },
      `A server has ended without a word. Of what ended between ${iso(gap.fromMs)} and ${iso(gap.toMs)} some usage may be missing: what it had in memory, of its last second where the store took it in time; and of what its instances lived, up to ten seconds before.`,
    );
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
