import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Dispatcher } from '../model/dispatch.ts';
import type { LogSink } from '../model/log.ts';
import type { GatewayLimits } from './limits.ts';

/** What every part of the gateway works with. */
export interface GatewayParts {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: LogSink;
  readonly limits: GatewayLimits;
  /** Development: `Server-Timing`, and problem documents that tell what the component did wrong. */
  readonly dev: boolean;
}
