import { contentTypeIn, MAX_CLOUD_EVENTS_BYTES, readCloudEvents } from '../events/cloudevents/read.ts';
import type { GatewayRelease } from '../gateway/served-release.ts';
import type { AppSpec } from '../model/app.ts';
import type { AppEvents } from '../model/app-events.ts';
import type { Published, Publisher } from '../model/event.ts';
import type { AppLimits } from '../scaling/limits/app-limits.ts';

export interface GatewayEventsOptions {
  readonly spec: Pick<AppSpec, 'events'>;
  /** Of the endpoint, resolved; null where the app has none. */
  readonly token: string | null;
  readonly events: Pick<AppEvents, 'publish' | 'later' | 'answer'>;
  readonly limits: AppLimits;
}

/** What a release gives the gateway for its app's events: where they are taken, and what keeps asynchronous requests. */
export function gatewayEvents({
  spec,
  token,
  events,
  limits,
}: GatewayEventsOptions): Required<Pick<GatewayRelease, 'events' | 'later'>> {
  const { endpoint } = spec.events;
  return {
    events:
      endpoint === null || token === null
        ? null
        : {
            host: endpoint.host,
            path: endpoint.path,
            token,
            bodyLimitBytes: MAX_CLOUD_EVENTS_BYTES,
            take: async (fields, body) => {
              const kept = await publishCloudEvents(events, fields, body);
              return kept.map(({ id }) => id);
            },
          },
    later: {
      admit: (component, asks, entrant) => {
        const own = limits.of(component);
        if (asks === 'for-it') own.admitForLater(entrant);
        else own.admitForAnswer(entrant);
      },
      later: (order) => events.later(order),
      answer: (id) => events.answer(id),
    },
  };
}

/**
 * Publishes what an HTTP request has brought as CloudEvents, in whichever mode: all of it, or nothing. An empty batch is none.
 * @param fields of the request: name, value, ….
 * Rejects as `readCloudEvents` and `Publisher.publish` do.
 */
export async function publishCloudEvents(
  publisher: Publisher,
  fields: readonly string[],
  body: Uint8Array,
): Promise<readonly Published[]> {
  const orders = readCloudEvents(contentTypeIn(fields), fields, body);
  return orders.length === 0 ? [] : await publisher.publish(null, orders);
}
