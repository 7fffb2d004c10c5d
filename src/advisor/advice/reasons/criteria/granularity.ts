import type { UnitCalls } from '../../../../model/advice-facts.ts';
import { changes } from '../changes.ts';
import type { ReasonContext } from '../context.ts';
import { money, percent, rate } from '../words.ts';
import { reason, type Judge } from './reason.ts';

/** A link that is less of it than that is none worth joining. */
const WORTH = 0.05;
/** Of its calls so many are within a process already. */
const JOINED = 0.9;
const MOST = 0.99;
const COMPUTE_LINES = new Set(['gb-seconds', 'vcpu-seconds', 'cpu-ms']);

export interface Link {
  readonly calls: UnitCalls;
  /** Of its calls those that come from there, or of its time what it waits for that one. 0 to 0.99. */
  readonly share: number;
}

/** The component with which it has most to do, but for those in whose process it is; null where there is none. */
export function closestLink({ request, shape }: ReasonContext): Link | null {
  const links = request.facts.calls
    .filter(({ joined }) => joined < JOINED)
    .map((calls): Link => {
      const all = calls.direction === 'in' ? shape.perSecond : shape.atWork * 1_000;
      const part = calls.direction === 'in' ? calls.perSecond : calls.perSecond * calls.p50Ms;
      return { calls, share: all === 0 ? 0 : Math.min(MOST, (part * (1 - calls.joined)) / all) };
    })
    .filter(({ share }) => share >= WORTH)
    .toSorted((a, b) => b.share - a.share);
  return links[0] ?? null;
}

/** Whether joining it with what it calls, or what calls it, would change the answer. */
export const granularity: Judge = (context) => {
  const { chosen, currency, outlooks } = context;
  const link = closestLink(context);
  if (link === null) {
    return reason('granularity', {
      measured: 'no close neighbour',
      threshold: `${percent(WORTH)} of its calls or of its time`,
      sentence: 'It has little to do with other components: joining it with one would change nothing.',
    });
  }
  const { calls, share } = link;
  const turned = turnsJoined(context, link);
  const about = {
    value: share,
    threshold: `${percent(WORTH)} of its calls or of its time`,
    decisive: turned,
  };
  const outcome = turned
    ? ' In one group with it the answer would be the other.'
    : ' In one group with it the answer would be the same.';
  if (calls.direction === 'in') {
    return reason('granularity', {
      ...about,
      measured: `${percent(share)} of its calls come from ${calls.with}`,
      sentence: `${percent(share)} of its calls come from ${calls.with} (${rate(calls.perSecond)}).${outcome}`,
    });
  }
  const compute = outlooks.function.lines
    .filter(({ id }) => COMPUTE_LINES.has(id))
    .reduce((sum, { amount }) => sum + amount, 0);
  return reason('granularity', {
    ...about,
    measured: `waits ${percent(share)} of its time for ${calls.with}`,
    favours: 'service',
    difference: { amount: compute * share, unit: `${currency} a month` },
    sentence: `It waits ${percent(share)} of its time for ${calls.with}${chosen === 'function' ? `, for which a function is paid twice (${money(compute * share, currency)} a month)` : ''}.${outcome}`,
  });
};

/** Whether the answer would be another were the calls between the two calls within a process. */
export function turnsJoined(context: ReasonContext, { calls, share }: Link): boolean {
  const key = `joined ${calls.direction} ${calls.with}`;
  return calls.direction === 'in'
    ? context.turns(key, changes.traffic(1 - share))
    : context.turns(key, changes.lessWaiting(share));
}
