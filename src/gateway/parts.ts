import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { LogSink } from '../model/log.ts';
import type { ByteRoom } from './byte-room.ts';
import type { HostNames } from './host-names.ts';
import type { GatewayLimits } from './limits.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** What every part of the gateway works with. */
export interface GatewayParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets the lines of requests that are for no app. */
  readonly log: LogSink;
  readonly limits: GatewayLimits;
  readonly hosts: HostNames;
  /** The machine's own: what is in front of all apps. */
  readonly proxies: TrustedProxies;
  /** For bodies that are read whole. */
  readonly gathered: ByteRoom;
  /** Development: `Server-Timing`, and problem documents that tell what the component did wrong. */
  readonly dev: boolean;
}
