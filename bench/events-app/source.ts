import type { ComponentModule, EventPublisher } from 'fulcrum';
import { machineMs, type Sent } from './clock.ts';

const FILLING = 'x'.repeat(1_000);

/** Publishes `count` events of 1 KB each, one by one, `inFlight` at a time. */
async function publish(events: EventPublisher, type: string, count: number, inFlight: number): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) await events.publish(type, { sentMs: machineMs(), filling: FILLING } satisfies Sent);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, one));
}

export default {
  /** `GET /source/publish?type=TYPE&count=N&inflight=M` */
  async fetch(request, env) {
    const { searchParams } = new URL(request.url);
    const number = (name: string): number => Number(searchParams.get(name));
    await publish(env.events, searchParams.get('type')!, number('count'), number('inflight'));
    return new Response('published');
  },
} satisfies ComponentModule;
