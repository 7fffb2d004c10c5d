import { leave, type Means } from './place.ts';

/** Older than that, a purchase is not one that somebody is paying for at this moment: its request has long had its time. */
const SETTLED_AFTER_MS = 60_000;
const AT_ONCE = 100;

/** Takes back purchases that came to no end: a crash came between, or one of those that are called did not answer. @returns how many. */
export async function settle(means: Means, nowMs: number): Promise<number> {
  let settled = 0;
  for (const purchase of means.orders.unsettled(nowMs - SETTLED_AFTER_MS, AT_ONCE)) {
    try {
      if ((await leave(purchase, means)) === 'left') settled++;
    } catch (error) {
      // The others are not to wait for it.
      console.error(`purchase ${purchase.id} is taken back later:`, error);
    }
  }
  return settled;
}
