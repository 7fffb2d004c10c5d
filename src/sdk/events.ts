import { FulcrumError } from '../base/errors.ts';
import type { EventPublisher } from './handler-types.ts';
import { instanceHost } from './host.ts';

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
    throw new FulcrumError(
      'outside-fulcrum',
      host === null
        ? `The event ${event[0]} was published outside Fulcrum, where there is nobody to keep it. Start the app with \`fulcrum dev\`, or in a ` +
            "test with startApp() of 'fulcrum/testing'."
        : `The event ${event[0]} was published under a Fulcrum that is older than events are. Upgrade it, and deploy the app again.`,
    );
  },
});
