import type { Publisher } from '../model/event.ts';
import { eventOf } from '../sdk/event.ts';
import type { EventPublisher } from '../sdk/handler-types.ts';

/** The events of an app under test: published as by somebody from outside, and held to the same rules as a component's. */
export function testEvents(publisher: Publisher): EventPublisher {
  return Object.freeze({
    publish: async (...[type, data, options]: Parameters<EventPublisher['publish']>) => {
      const { data: said, ...event } = eventOf(type, data, options);
      const bytes = typeof said === 'string' ? Buffer.from(said) : said;
      const order = { ...event, data: bytes, id: null, source: null, timeMs: null, extensions: {} };
      const [published] = await publisher.publish(null, [order]);
      return published!;
    },
  });
}
