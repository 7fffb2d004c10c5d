import type { Criterion, Flip } from '../../../model/advice.ts';
import { LONGEST_FUNCTION_TIMEOUT_MS, type Mode } from '../../../model/app.ts';
import { changes } from './changes.ts';
import { closestLink, turnsJoined } from './criteria/granularity.ts';
import { contextOf, type ReasonContext } from './context.ts';
import type { ReasonInput } from './input.ts';
import { between } from './least-factor.ts';
import { money, otherMode, percent, times, took } from './words.ts';

/** Beyond the break-even it must be more than a tie. */
const BEYOND = [1.06, 1.12, 1.18, 1.25, 1.4, 1.6];
const FARTHEST = 100;
/** Of a step of those: to some percent. */
const HALVINGS = 2;
const WORK = 1.2;
/** Latencies that differ by less are the same to whoever asks for one. */
const SAME_LATENCY = 0.05;

/** What would have to be so for the other mode to be the answer, each asked of the verdict again; the nearest first of a kind. */
export function flipsOf(input: ReasonInput): Flip[] {
  const context = contextOf(input);
  const { chosen } = context;
  if (chosen === null) return [];
  const to = otherMode(chosen);
  return [
    ...mending(context, to),
    ...trafficOf(context, to),
    ...durations(context, to),
    ...objective(context, to),
    ...work(context, to),
    ...memory(context, to),
    ...facts(context, to),
  ];
}

const MENDED: Readonly<Partial<Record<Criterion, string>>> = {
  state: 'what it keeps between calls goes to a database or a store',
  sockets: 'it holds no connections open (polling, or a service of its own for them)',
  background: 'what it does between calls goes to a schedule or an event',
  resources: 'its calls do not block the process that they share',
};

/** What makes the other mode impossible: each alone, or all together where one is not enough. */
function mending(context: ReasonContext, to: Mode): Flip[] {
  const criteria = [
    ...new Set(
      context.obstacles
        .filter(({ mode, severity }) => mode === to && severity === 'impossible')
        .map(({ criterion }) => criterion),
    ),
  ].filter((criterion) => MENDED[criterion] !== undefined);
  const single = criteria.filter((criterion) =>
    context.turns(`mended ${to} ${criterion}`, changes.mended(to, [criterion])),
  );
  const flips = single.map((criterion): Flip => ({ criterion, to, sentence: MENDED[criterion]! }));
  if (context.against('duration').some(({ mode, severity }) => mode === to && severity === 'impossible')) {
    if (context.turns('within the limit', changes.atMost(LONGEST_FUNCTION_TIMEOUT_MS)))
      flips.push({
        criterion: 'duration',
        to,
        sentence: `no call takes longer than ${took(LONGEST_FUNCTION_TIMEOUT_MS)}: the work goes into steps`,
      });
  }
  if (flips.length > 0 || criteria.length < 2) return flips;
  if (!context.turns(`mended ${to} ${criteria.join(' ')}`, changes.mended(to, criteria))) return [];
  const sentence = criteria.map((criterion) => MENDED[criterion]!).join(', and ');
  return [{ criterion: criteria[0]!, to, sentence }];
}

/** From where both cost the same a little further, until it is the answer; of a tie, which is not left there, either way. */
function trafficOf(context: ReasonContext, to: Mode): Flip[] {
  const { breakEven, verdict } = context;
  if ('mode' in verdict && verdict.because === 'tie') {
    const factors = (['more', 'less'] as const).map((way) =>
      context.turnsAt('traffic', changes.traffic, way),
    );
    return factors.filter((factor) => factor !== null).map((factor) => trafficFlip(context, to, factor));
  }
  if (breakEven === null || breakEven.times > FARTHEST || breakEven.times < 1 / FARTHEST) return [];
  const { times: same } = breakEven;
  const at = (beyond: number): number => (same > 1 ? same * beyond : same / beyond);
  const turns = (beyond: number): boolean => context.turnsWith(at(beyond));
  let before = 1;
  for (const beyond of BEYOND) {
    if (turns(beyond)) return [trafficFlip(context, to, at(between(before, beyond, HALVINGS, turns)))];
    before = beyond;
  }
  return [];
}

/** With what it costs less then: a tie is no reason, and so it lies beyond the break-even. */
function trafficFlip(context: ReasonContext, to: Mode, factor: number): Flip {
  const { perMonth } = context.ask(`traffic ${factor}`, changes.traffic(factor));
  const [other, own] = [perMonth[to], perMonth[otherMode(to)]];
  const less = other === null || own === null || own <= 0 ? 0 : 1 - other / own;
  const change =
    factor > 1 ? `traffic grows ${times(factor)}` : `traffic falls to ${part(factor)} of what it is`;
  const sentence = less < 0.01 ? change : `${change}: a ${to} costs ${percent(less)} less then`;
  return { criterion: 'duty-cycle', to, sentence };
}

function part(factor: number): string {
  return `${Number((factor * 100).toPrecision(2))} %`;
}

function durations(context: ReasonContext, to: Mode): Flip[] {
  const factor = context.turnsAt('durations', changes.durations, to === 'service' ? 'more' : 'less');
  if (factor === null) return [];
  const { meanMs, longestMs } = context.shape;
  const isTooLong = to === 'service' && longestMs * factor > LONGEST_FUNCTION_TIMEOUT_MS;
  const limit = isTooLong
    ? `, and some more than the ${took(LONGEST_FUNCTION_TIMEOUT_MS)} of a function`
    : '';
  const sentence = `a call takes ${took(meanMs * factor)} on average instead of ${took(meanMs)}${limit}`;
  return [{ criterion: 'duration', to, sentence }];
}

/** Where the present one decides, without it; else one that only the other mode meets. */
function objective(context: ReasonContext, to: Mode): Flip[] {
  const { outlooks, chosen, request } = context;
  const asked = request.facts.objective.p99Ms;
  if (asked !== null && context.turns('no objective', changes.objective(null)))
    return [{ criterion: 'latency', to, sentence: 'no latency is asked' }];
  const [own, other] = [outlooks[chosen!].p99Ms?.mid, outlooks[to].p99Ms?.mid];
  if (own === undefined || other === undefined || other >= own * (1 - SAME_LATENCY)) return [];
  const p99Ms = roundedBetween(other, own);
  if (p99Ms === null || !context.turns(`objective ${p99Ms}`, changes.objective(p99Ms))) return [];
  return [{ criterion: 'latency', to, sentence: `a p99 of ${took(p99Ms)} is asked` }];
}

/** A number with as few digits as there can be. */
function roundedBetween(low: number, high: number): number | null {
  for (let digits = 1; digits <= 3; digits++) {
    const middle = Number(Math.sqrt(low * high).toPrecision(digits));
    if (middle > low && middle < high) return middle;
  }
  return null;
}

/** How much more work a month the present answer would have to make. */
function work(context: ReasonContext, to: Mode): Flip[] {
  const { gap, chosen, currency, request } = context;
  if (gap === null) return [];
  const { hoursPerMonth, perHour } = request.settings.operations;
  const now = { function: hoursPerMonth.function * perHour, service: hoursPerMonth.service * perHour };
  const saved = chosen === 'function' ? gap : -gap;
  if (saved <= 0) return [];
  const more = Number((saved * WORK).toPrecision(2));
  const then = { ...now, [chosen!]: now[chosen!] + more };
  if (!context.turns(`operations ${more}`, changes.operations(then))) return [];
  const sentence = `running it as a ${chosen} makes ${money(more, currency)} a month more work than as a ${to}`;
  return [{ criterion: 'operations', to, sentence }];
}

function memory(context: ReasonContext, to: Mode): Flip[] {
  const factor = context.turnsAt('memory', changes.memory, to === 'service' ? 'more' : 'less');
  if (factor === null) return [];
  const sentence = `it needs ${factor > 1 ? times(factor) : `${part(factor)} of`} its memory`;
  return [{ criterion: 'resources', to, sentence }];
}

/** Facts that could be others. */
function facts(context: ReasonContext, to: Mode): Flip[] {
  const flips: Flip[] = [];
  const { perHour, hoursPerMonth } = context.request.settings.operations;
  const counted = perHour > 0 && hoursPerMonth.function !== hoursPerMonth.service;
  if (context.turns('without fees', changes.withoutFees))
    flips.push({
      criterion: 'trigger',
      to,
      sentence: 'the gateway or load balancer before it is there anyway (--without)',
    });
  if (context.turns('even', changes.even))
    flips.push({ criterion: 'burstiness', to, sentence: 'its calls come evenly' });
  if (counted && context.turns('no operations', changes.operations({ function: 0, service: 0 })))
    flips.push({ criterion: 'operations', to, sentence: 'hours of work on it are not counted' });
  const link = closestLink(context);
  if (link !== null && turnsJoined(context, link))
    flips.push({
      criterion: 'granularity',
      to,
      sentence: `it is joined in one group with ${link.calls.with}`,
    });
  if (context.request.facts.kind === 'command' && context.turns('taken apart', changes.takenApart))
    flips.push({ criterion: 'legacy', to, sentence: 'it is taken apart into modules' });
  return flips;
}
