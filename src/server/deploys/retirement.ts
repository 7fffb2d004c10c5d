import { sleep, type Clock } from '../../base/clock.ts';
import type { LiveRelease } from '../live-release.ts';
import type { RunningApp } from '../running-app.ts';
import type { BehindWork } from './behind-work.ts';
import { nothingDrained } from './drain-words.ts';
import type { Steps } from './steps.ts';

/** Whoever deploys waits so long for what served before; it goes on without being watched. */
const WATCH_DRAIN_MS = 3_000;

/** The end of releases in whose place others have come. */
export class Retirement {
  readonly #behind: BehindWork;
  readonly #clock: Clock;

  constructor(behind: BehindWork, clock: Clock) {
    this.#behind = behind;
    this.#clock = clock;
  }

  /** Has what is neither served nor tried out drain, and be ended. */
  others(app: RunningApp): { release: LiveRelease; retired: Promise<void> }[] {
    const others = app.live.filter(
      (release) => release !== app.serving && release !== app.canary && release.state !== 'draining',
    );
    return others.map((release) => {
      const retired = app.retire(release);
      this.#behind.add(retired);
      return { release, retired };
    });
  }

  /** The same as a step that whoever deploys watches for a moment. */
  async watched(app: RunningApp, steps: Steps): Promise<void> {
    steps.begin('drain');
    const before = this.others(app);
    if (before.length === 0) return steps.done('drain', nothingDrained(app));
    const all = Promise.all(before.map(({ retired }) => retired)).then(() => true);
    const done = await Promise.race([all, sleep(this.#clock, WATCH_DRAIN_MS).then(() => false)]);
    const running = before.reduce((sum, { release }) => sum + release.dispatcher.running, 0);
    steps.done('drain', done ? '' : `${running} still in flight; they have until they time out`);
  }
}
