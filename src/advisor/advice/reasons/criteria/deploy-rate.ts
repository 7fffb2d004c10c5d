import { money, rate, took } from '../words.ts';
import { reason, type Judge } from './reason.ts';

const DAY_S = 86_400;
const MONTH_DAYS = 730 / 24;
const MONTH_MS = 730 * 3_600_000;
/** Part of what the modes differ by, from which on it counts. */
const COUNTS = 0.01;

/** How often its code changes: with each release a service's replicas are there twice until the old ones are done. */
export const deployRate: Judge = (context) => {
  const { request, outlooks, shape, gap, currency } = context;
  const { count, days } = request.facts.deploys;
  if (days <= 0)
    return reason('deploy-rate', {
      measured: 'not known yet',
      sentence: 'How often its code changes is not known yet.',
    });
  const perMonth = (count / days) * MONTH_DAYS;
  const { service } = outlooks;
  const twiceMs =
    startMs(request.facts.startsMs.service) + Math.min(request.facts.service.drainMs, shape.p99Ms);
  const amount = service.perMonth === null ? 0 : (service.perMonth.mid * perMonth * twiceMs) / MONTH_MS;
  const measured = count === 0 ? `none in ${Math.round(days)} days` : rate(count / days / DAY_S);
  const matters = gap !== null && amount > COUNTS * Math.abs(gap);
  return reason('deploy-rate', {
    measured,
    value: perMonth,
    threshold: 'replicas that are there twice cost 1 % of what the modes differ by',
    favours: matters ? 'function' : null,
    difference: service.perMonth === null ? null : { amount, unit: `${currency} a month` },
    // Arithmetic, no replay: what it makes is added to the service's price.
    decisive: matters && context.chosen === 'function' && gap > 0 && gap <= amount,
    sentence:
      count === 0
        ? `Its code did not change in ${Math.round(days)} days.`
        : `Its code changes ${measured}; each time replicas are there twice for ${took(twiceMs)}, which makes ${money(amount, currency)} a month.`,
  });
};

/** The middle one. */
function startMs(startsMs: readonly number[]): number {
  return startsMs.toSorted((a, b) => a - b)[Math.floor(startsMs.length / 2)] ?? 0;
}
