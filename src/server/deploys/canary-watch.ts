import type { Clock, Timer } from '../../base/clock.ts';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { LiveRelease } from '../live-release.ts';
import type { RunningApp } from '../running-app.ts';
import { canaryMove, type CanaryCounts } from './canary-step.ts';
import type { RouteTable } from './route-table.ts';
import type { Canaries } from './canaries.ts';

export interface CanaryWatchOptions {
  readonly apps: () => Iterable<RunningApp>;
  readonly routes: RouteTable;
  readonly canaries: Pick<Canaries, 'step' | 'settle'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_EVERY_MS = 500;

/** Looks at every canary twice a second while its server serves, and has it move or go back as its requests end. */
export class CanaryWatch {
  readonly #o: CanaryWatchOptions;
  #timer: Timer | null = null;
  /** What had been counted of a canary when its present step began. */
  readonly #bases = new WeakMap<LiveRelease, CanaryCounts & { readonly step: number }>();
  readonly #moving = new Map<string, Promise<void>>();

  constructor(options: CanaryWatchOptions) {
    this.#o = options;
  }

  /** Idempotent. */
  begin(): void {
    this.#timer ??= this.#o.clock.every(LOOK_EVERY_MS, () => this.look());
  }

  /** Moves nothing any more, until it begins again; resolves when nothing is being moved. */
  async rest(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await Promise.all(this.#moving.values());
  }

  /** One round; the timer calls it. */
  look(): void {
    for (const app of this.#o.apps()) {
      const record = this.#o.routes.get(app.id)?.canary ?? null;
      const { canary } = app;
      if (record === null || canary === null || record.release !== canary.number || this.#moving.has(app.id))
        continue;
      const { total, failed } = canary.outcomes;
      let base = this.#bases.get(canary);
      if (base?.step !== record.step) this.#bases.set(canary, (base = { total, failed, step: record.step }));
      const counts = { total: total - base.total, failed: failed - base.failed };
      const move = canaryMove(record, counts, this.#o.clock.nowMs());
      if (move.kind === 'stay') continue;
      const { canaries } = this.#o;
      const moved =
        move.kind === 'step'
          ? canaries.step(app.id, record.release, move.step)
          : canaries.settle(app.id, move.kind === 'promote' ? 'promote' : { why: move.why });
      const settled = moved
        .catch((error: unknown) => {
          // Somebody is at it by hand; the next round looks again.
          if (error instanceof FulcrumError && error.code === 'conflict') return;
          this.#o.logger.error({ app: app.id, error: messageOf(error) }, 'a canary could not be moved');
        })
        .finally(() => this.#moving.delete(app.id));
      this.#moving.set(app.id, settled);
    }
  }
}
