import type { Clock } from '../base/clock.ts';
import { answerKey, idOfKey } from '../base/ids.ts';
import { contentTypeIn, MAX_CLOUD_EVENTS_BYTES, readCloudEvents } from '../events/cloudevents/read.ts';
import type { GatewayRelease } from '../gateway/served-release.ts';
import type { AppSpec } from '../model/app.ts';
import type { AppEvents } from '../model/app-events.ts';
import type { EventOrder, Published, Publisher } from '../model/event.ts';
import type { AppLimits } from '../scaling/limits/app-limits.ts';

export interface GatewayEventsOptions {
  readonly spec: Pick<AppSpec, 'events'>;
  /** Of the endpoint, resolved; null where the app has none. */
  readonly token: string | null;
  readonly events: Pick<AppEvents, 'publish' | 'later' | 'answer'>;
  readonly limits: AppLimits;
  readonly clock: Clock;
}

/** What a release gives the gateway for its app's events: where they are taken, and what keeps asynchronous requests. */
export function gatewayEvents({
  spec,
  token,
  events,
  limits,
  clock,
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
            take: async (fields, body, traceparent) => {
              const kept = await publishCloudEvents(events, fields, body, traceparent);
              return kept.map(({ id }) => id);
            },
          },
    later: {
      admit: (component, asks, entrant) => {
        const own = limits.of(component);
        if (asks === 'for-it') own.admitForLater(entrant);
        else own.admitForAnswer(entrant);
      },
      // The answer is for who asked: what lists, events and the log of changes call it must not open it.
      later: async (order) => {
        const key = answerKey(clock.nowMs());
        const kept = await events.later({ ...order, id: idOfKey(key)! });
        return { ...kept, id: key };
      },
      answer: async (key) => {
        const id = idOfKey(key);
        return id === null ? null : await events.answer(id);
      },
    },
  };
}

/**
 * Publishes what an HTTP request has brought as CloudEvents, in whichever mode: all of it, or nothing. An empty batch is none.
 * @param fields of the request: name, value, …. @param traceparent of those that name no trace of their own.
 * Rejects as `readCloudEvents` and `Publisher.publish` do.
 */
export async function publishCloudEvents(
  publisher: Publisher,
  fields: readonly string[],
  body: Uint8Array,
  traceparent: string | null = null,
): Promise<readonly Published[]> {
  const read = readCloudEvents(contentTypeIn(fields), fields, body);
  const orders = traceparent === null ? read : read.map((order) => ofTrace(order, traceparent));
  return orders.length === 0 ? [] : await publisher.publish(null, orders);
}

function ofTrace(order: EventOrder, traceparent: string): EventOrder {
  return { ...order, extensions: { traceparent, ...order.extensions } };
}
