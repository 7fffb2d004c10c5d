import type { CanaryRecord } from '../../model/app-record.ts';

/** How the requests of a canary have ended since its present step began. */
export interface CanaryCounts {
  readonly total: number;
  readonly failed: number;
}

export type CanaryMove =
  | { readonly kind: 'stay' }
  /** The next share. */
  | { readonly kind: 'step'; readonly step: number }
  /** All the traffic. */
  | { readonly kind: 'promote' }
  | { readonly kind: 'return'; readonly why: string };

/** Fewer requests say little while a step lasts: the first of them may fail by accident. At its end they are all there is to judge by. */
const ENOUGH_REQUESTS = 20;

/**
 * What becomes of a canary now. It goes back as soon as more of its requests have failed than may, and takes the next step when it has had
 * its time at this one. Where nobody came, nobody was hurt: time alone is enough.
 */
export function canaryMove(canary: CanaryRecord, counts: CanaryCounts, nowMs: number): CanaryMove {
  const { total, failed } = counts;
  const isOver = nowMs - canary.stepBeganAtMs >= canary.everyMs;
  if (failed > canary.maxErrors * total && (isOver || total >= ENOUGH_REQUESTS)) {
    const why = `${failed} of ${total} requests failed (${percent(failed / total)}), where ${percent(canary.maxErrors)} may`;
    return { kind: 'return', why };
  }
  if (!isOver) return { kind: 'stay' };
  const step = canary.step + 1;
  return step < canary.steps.length ? { kind: 'step', step } : { kind: 'promote' };
}

/** The share of clients that it is given now. */
export function canaryPercent({ steps, step }: CanaryRecord): number {
  return steps[Math.min(step, steps.length - 1)] ?? 0;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
