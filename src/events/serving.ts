import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { ComponentSpec } from '../model/app.ts';
import type { Dispatcher } from '../model/dispatch.ts';
import type { Delivery } from '../model/event-store.ts';
import type { InvocationContext, InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { ScheduleStatus } from '../model/status.ts';
import type { WorkWindow } from '../model/work-window.ts';
import type { EventSettings, Schedule, Subscription } from '../model/work-settings.ts';

/** What serves of an app: by it is decided who takes what, and through it everything is delivered. */
export interface Serving {
  readonly components: ReadonlyMap<string, ComponentSpec>;
  readonly settings: EventSettings;
  readonly dispatcher: Dispatcher;
  readonly window: WorkWindow;
}

/** Sends events to a command over HTTP, as CloudEvents. */
export interface HttpDelivery {
  /**
   * Sends them as `subscription.http` says: one in a request, or all in one where its mode is `batched`. Never rejects.
   * @param slot of the instance that they are sent to. @param context its deadline and signal hold for all of them.
   */
  deliver(
    deliveries: readonly Delivery[],
    subscription: Subscription,
    slot: Slot,
    context: InvocationContext,
  ): Promise<HttpDelivered>;
}

interface HttpDelivered extends InvocationEnd {
  /** As `deliveries`. */
  readonly outcomes: readonly MessageOutcome[];
}

/** What became of one message. */
export type MessageOutcome =
  | { readonly as: 'done' }
  /** @property notBeforeMs by a `Retry-After`; null: there was none. */
  | { readonly as: 'failed'; readonly error: InvocationEnd['error']; readonly notBeforeMs: number | null };

/** Fires the schedules of one app. Implemented by `schedules/`. */
export interface Scheduler {
  /** Fires from now on. Idempotent. */
  begin(): void;
  /** What serves has changed. */
  changed(): void;
  /** Work of a tick has ended. */
  settled(): void;
  status(component: string): readonly ScheduleStatus[];
  /** Fires nothing more, until it begins again; resolves when nothing is being fired. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

/** What a scheduler is made with. */
export interface SchedulerParts {
  readonly app: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** By component, of what serves. Null while nothing does: what is known of them stays as it is. */
  readonly schedules: () => ReadonlyMap<string, readonly Schedule[]> | null;
  /** Who fires. */
  readonly node: string;
  /** There is work for the component; it is leased by nobody. */
  readonly onFired: (component: string) => void;
}
