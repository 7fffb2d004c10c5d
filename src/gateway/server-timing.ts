/** Where a request's time went, as far as its answer's head. */
export interface Timing {
  /** Arrival to slot, with the instance's start. */
  readonly waitedMs: number;
  readonly startMs: number;
  /** Slot to head. */
  readonly handlerMs: number;
  readonly cold: boolean;
}

/** `Server-Timing` (W3C): the durations do not overlap, so that they add up. */
export function serverTiming({ waitedMs, startMs, handlerMs, cold }: Timing): string {
  const queueMs = Math.max(0, waitedMs - startMs);
  return [
    `queue;dur=${tenths(queueMs)}`,
    `start;dur=${tenths(startMs)}`,
    `handler;dur=${tenths(handlerMs)}`,
    `cold;desc=${cold ? 'yes' : 'no'}`,
  ].join(', ');
}

/** As toFixed(1), which takes a third of a microsecond. */
function tenths(ms: number): string {
  const whole = Math.round(ms * 10);
  return `${Math.floor(whole / 10)}.${whole % 10}`;
}
