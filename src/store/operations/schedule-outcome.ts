import type { Dialect } from '../dialect.ts';
import { change, type Steps } from '../steps.ts';

/** How the work of a tick has ended. */
export interface ScheduleEnd {
  readonly app: string;
  readonly component: string;
  /** The schedule's. */
  readonly name: string;
  readonly state: 'ok' | 'failed';
  readonly endedAtMs: number;
  /** Of `failed`: why. */
  readonly message: string | null;
}

/**
 * Writes down how the work of a tick has ended, within the transaction that settles it. Does nothing where there is no such schedule any more.
 * A tick that was skipped meanwhile is told no longer: that the one before has ended is the news.
 */
export function* scheduleSettled({ db }: Dialect, end: ScheduleEnd): Steps<void> {
  yield* change(
    db
      .updateTable('schedules')
      .set({
        last_state: end.state,
        last_ended_at_ms: Math.floor(end.endedAtMs),
        last_message: end.message,
      })
      .where('app', '=', end.app)
      .where('component', '=', end.component)
      .where('name', '=', end.name)
      // One that was changed meanwhile has begun anew: what the old one did is not its doing.
      .where('last_state', 'is not', null),
  );
}
