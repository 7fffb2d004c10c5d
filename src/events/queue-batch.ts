import { isJsonType } from '../base/event-limits.ts';
import { readAttributes, traceOf } from './attributes.ts';
import type { Delivery } from '../model/event-store.ts';
import type { Payload } from '../model/invocation.ts';

/** What a batch may have in its JSON: below what a call's arguments may, with room for the rest of the frame. */
export const MOST_BATCH_BYTES = 8 * 1024 ** 2;
/** A message without its data, at the most: its texts are bounded when it is published, and may need escapes. */
const HEAD_BYTES = 4_096;

/** How much of a batch's JSON one message may take. */
export function messageBytes({ data, contentType }: Pick<Delivery, 'data' | 'contentType'>): number {
  return HEAD_BYTES + (isJsonType(contentType) ? data.length : Math.ceil(data.length / 3) * 4);
}

/**
 * The batch as a `queue` handler is given it: see `Invocation`. The data is put in as it is and never parsed: it was looked at when it was
 * published.
 */
export function queueBatch(deliveries: readonly Delivery[]): Payload {
  const parts: Uint8Array[] = [];
  for (const [i, delivery] of deliveries.entries()) {
    const { id, type, source, subject, key, timeMs, attempt, contentType, data } = delivery;
    const traceparent = traceOf(readAttributes(delivery.attributes));
    const said = { id, type, source, subject, key, time: timeMs, attempt, contentType, traceparent };
    const head = JSON.stringify(said);
    const before = `${i === 0 ? '{"messages":[' : ','}${head.slice(0, -1)}`;
    if (isJsonType(contentType)) {
      // What has none was kept by an older version, or by hand.
      parts.push(
        Buffer.from(`${before},"data":`),
        data.length === 0 ? Buffer.from('null') : data,
        Buffer.from('}'),
      );
    } else {
      const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
      parts.push(Buffer.from(`${before},"data_base64":"${base64}"}`));
    }
  }
  parts.push(Buffer.from(deliveries.length === 0 ? '{"messages":[]}' : ']}'));
  return { encoding: 'json', bytes: Buffer.concat(parts) };
}
