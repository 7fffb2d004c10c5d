import type { InstancesUsed, MinuteLoad, Used } from '../../model/used.ts';

const HOUR_MS = 3_600_000;
export const MB = 1024 ** 2;
export const GB = 1024 ** 3;
/** A moment that begins no month, so that a stretch is a month by its 730 hours. */
export const FROM_MS = Date.UTC(2026, 9, 2);
export const MONTH_MS = 730 * HOUR_MS;

interface Some extends Partial<Omit<Used, 'instances'>> {
  /** Setting; 128 MB. */
  readonly memoryBytes?: number;
  readonly instances?: Partial<InstancesUsed>;
}

/** What was used in a month of 730 hours: nothing, but for `some`. `byteMs` follows from the memory where it is left out. */
export function usedOf(some: Some = {}): Used {
  const { memoryBytes = 128 * MB, instances, ...rest } = some;
  const wholeMs = rest.wholeMs ?? 0;
  const livedMs = instances?.livedMs ?? 0;
  return {
    component: 'catalog',
    mode: 'function',
    fromMs: FROM_MS,
    toMs: FROM_MS + MONTH_MS,
    executed: 0,
    internal: 0,
    refused: 0,
    cold: 0,
    wholeMs,
    hundredsMs: null,
    startMs: 0,
    byteMs: wholeMs * memoryBytes,
    cpuMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    durations: [],
    load: [],
    ...rest,
    instances: {
      started: 0,
      livedMs,
      heldByteMs: livedMs * memoryBytes,
      usedByteMs: null,
      cpuMs: 0,
      ...instances,
    },
  };
}

/** A minute of the load, so many after the stretch's beginning. */
export function minuteAt(at: number, some: Partial<MinuteLoad> = {}): MinuteLoad {
  return { minuteMs: FROM_MS + at * 60_000, executed: 0, workMs: 0, cpuMs: 0, busiest: null, ...some };
}
