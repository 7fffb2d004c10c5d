import type { EventPublisher, PublishOptions, QueueMessage } from 'fulcrum';

export interface PublishedHere {
  readonly type: string;
  readonly data: unknown;
  readonly options: PublishOptions | undefined;
}

/** Keeps what is published, and knows what has been by its `dedupe`, as Fulcrum does. */
export class EventsHere implements EventPublisher {
  readonly published: PublishedHere[] = [];
  /** While it is set, publishing fails with it. */
  failure: Error | null = null;

  async publish(
    type: string,
    data?: unknown,
    options?: PublishOptions,
  ): Promise<{ id: string; duplicate: boolean }> {
    if (this.failure !== null) throw this.failure;
    const known = this.published.findIndex(
      (event) => options?.dedupe !== undefined && event.options?.dedupe === options.dedupe,
    );
    if (known >= 0) return { id: `e-${known}`, duplicate: true };
    this.published.push({ type, data, options });
    return { id: `e-${this.published.length - 1}`, duplicate: false };
  }
}

/** A message, and what its handler said of it. */
export function message(type: string, data: unknown): QueueMessage & { said: string | null } {
  return {
    id: 'e-1',
    type,
    source: '/components/checkout',
    subject: null,
    key: null,
    data,
    contentType: 'application/json',
    time: 0,
    attempt: 1,
    traceparent: null,
    said: null,
    ack() {
      this.said = 'acked';
    },
    retry() {
      this.said = 'retried';
    },
  };
}
