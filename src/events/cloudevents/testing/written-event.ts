import type { WrittenEvent } from '../write.ts';

/** An event as it is delivered, with what a test says of it. */
export function writtenEvent(changes: Partial<WrittenEvent> = {}): WrittenEvent {
  return {
    id: 'e-1',
    type: 'order.paid',
    source: '/components/checkout',
    subject: null,
    key: null,
    timeMs: Date.UTC(2026, 10, 27, 18, 30, 0, 125),
    contentType: 'application/json',
    attributes: '{}',
    data: Buffer.from('{"total":42}'),
    ...changes,
  };
}
