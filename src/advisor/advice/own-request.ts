import type { UnitFacts } from '../../model/advice-facts.ts';
import type { OwnUsage } from '../own/own-usage.ts';
import { usageOfUnit } from '../own/unit-usage.ts';
import { firstSeenMs } from './first-seen.ts';
import { unpaidFees } from './front-door.ts';
import type { AdviceRequest } from './request.ts';

export type OwnRequestOptions = Pick<
  AdviceRequest,
  'settings' | 'books' | 'seed' | 'samples' | 'detail' | 'freeTier' | 'without'
> & {
  /** Whether a unit that was seen late may not have been there before: see {@link firstSeenMs}. Not of a window that is known to be its own. */
  readonly mayBeNew: boolean;
};

/**
 * What advice for one unit of an app that runs is asked with: its own usage, from when any of the app was first seen. Of what was asked for
 * before that nobody knows whether nothing came, or nothing was there yet.
 */
export function ownRequest(
  usage: OwnUsage,
  facts: UnitFacts,
  { mayBeNew, ...options }: OwnRequestOptions,
): AdviceRequest {
  const { days, traffic } = usageOfUnit(usage, facts);
  const seenMs = usage.components.flatMap((component) => component.days.map(({ fromMs }) => fromMs));
  const appMs = Math.max(usage.fromMs, Math.min(...seenMs, usage.toMs - 1));
  const fromMs = mayBeNew ? firstSeenMs(traffic, days, appMs) : appMs;
  return {
    ...options,
    without: [...new Set([...options.without, ...unpaidFees(facts, options.books)])],
    facts,
    source: 'usage',
    exists: true,
    traffic: { kind: 'arrivals', traffic: { ...traffic, component: facts.unit, fromMs, toMs: usage.toMs } },
    measured: days,
    gapsMs: usage.gaps.reduce(
      (sum, gap) => sum + Math.max(0, Math.min(gap.toMs, usage.toMs) - Math.max(gap.fromMs, fromMs)),
      0,
    ),
    doubt: null,
  };
}
