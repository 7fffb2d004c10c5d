import type { Delivery } from '../model/event-store.ts';
import { messageBytes, MOST_BATCH_BYTES } from './queue-batch.ts';

/** Work that this server has leased and nothing has been begun with. */
export interface Held {
  readonly delivery: Delivery;
  /** By whose name it is leased. */
  readonly node: string;
  /** Since when it is here; monotonic. */
  readonly sinceMs: number;
}

export interface BatchSettings {
  readonly batchSize: number;
  readonly batchWaitMs: number;
}

/** What can go now, and when what cannot may. */
export interface NextBatch {
  /** Null: nothing may go yet. */
  readonly batch: readonly Held[] | null;
  /** Monotonic; null: nothing waits for others of its batch. */
  readonly dueMs: number | null;
}

/**
 * Whether it comes alone: what has been delivered before may be what made that delivery fail, and must not take others along; a tick and an
 * asynchronous invocation are no messages.
 */
function comesAlone({ kind, attempt }: Pick<Delivery, 'kind' | 'attempt'>): boolean {
  return kind !== 'event' || attempt > 1;
}

/**
 * The next batch of what is held, the oldest first: what comes alone at once; others when so many are there as go together, or the first of
 * them has waited long enough, or no more fits. Of one key there is never more than one, because never more than one is leased.
 */
export function nextBatch(
  held: readonly Held[],
  { batchSize, batchWaitMs }: BatchSettings,
  nowMs: number,
): NextBatch {
  const batch: Held[] = [];
  let bytes = 0;
  let isFull = false;
  for (const one of held) {
    if (comesAlone(one.delivery)) {
      // In its turn: behind those that came before it, unless they still wait for others.
      if (batch.length === 0) return { batch: [one], dueMs: null };
      continue;
    }
    const more = messageBytes(one.delivery);
    if (batch.length > 0 && bytes + more > MOST_BATCH_BYTES) {
      isFull = true;
      break;
    }
    batch.push(one);
    bytes += more;
    if (batch.length >= batchSize) {
      isFull = true;
      break;
    }
  }
  const [first] = batch;
  if (first === undefined) return { batch: null, dueMs: null };
  const dueMs = first.sinceMs + batchWaitMs;
  if (isFull || nowMs >= dueMs) return { batch, dueMs: null };
  const alone = held.find(({ delivery }) => comesAlone(delivery));
  return alone === undefined ? { batch: null, dueMs } : { batch: [alone], dueMs };
}

/** How many invocations what is held makes. */
export function batchesOf(held: readonly Held[], batchSize: number): number {
  let alone = 0;
  for (const { delivery } of held) if (comesAlone(delivery)) alone++;
  return alone + Math.ceil((held.length - alone) / batchSize);
}
