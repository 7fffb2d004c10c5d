import type { EventPublisher } from './handler-types.ts';
import { instanceHost } from './host.ts';
import { outsideFulcrum } from './outside.ts';

/**
 * The app's events, as `env.events` of a handler has them; for named functions, which are given no `env`.
 *
 * ```ts
 * import { events } from 'fulcrum';
 * await events.publish('order.paid', { order: 'o-1' }, { key: 'o-1' });
 * ```
 */
export const events: EventPublisher = Object.freeze({
  publish: async (...event: Parameters<EventPublisher['publish']>) => {
    const host = instanceHost();
    if (host?.publish !== undefined) return host.publish(...event);
    throw outsideFulcrum(host, `The event ${event[0]} was published`, 'nobody to keep it', 'events');
  },
});
