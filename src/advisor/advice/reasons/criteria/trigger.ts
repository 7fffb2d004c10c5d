import type { OfferLine } from '../../../../model/comparison.ts';
import type { Mode } from '../../../../model/app.ts';
import { changes } from '../changes.ts';
import type { ReasonContext } from '../context.ts';
import { count, list, money, otherMode } from '../words.ts';
import { reason, type Judge } from './reason.ts';

const UNKNOWN = 'not known';

/** What sets it off, and what its front door costs in each mode. */
export const trigger: Judge = (context) => {
  const { triggers } = context.request.facts;
  const measured = wordsFor(context);
  const isWaitedFor = triggers.routes > 0 || triggers.callers.length > 0;
  const doors = { function: doorOf(context, 'function'), service: doorOf(context, 'service') };
  const amount = Math.abs(doors.service - doors.function);
  const decisive = context.turns('without fees', changes.withoutFees);
  if (amount >= 0.005) {
    const favours = doors.function < doors.service ? 'function' : 'service';
    const { currency } = context;
    return reason('trigger', {
      measured,
      threshold: `its front door: ${money(doors.function, currency)} a month as a function, ${money(doors.service, currency)} as a service`,
      favours,
      difference: { amount, unit: `${currency} a month` },
      decisive: decisive && context.chosen === favours,
      sentence: `${reached(measured)}: what takes its requests in costs ${money(doors[favours], currency)} a month before ${aMode(favours)}, ${money(doors[otherMode(favours)], currency)} before ${aMode(otherMode(favours))}.`,
    });
  }
  if (isWaitedFor || (triggers.events.length === 0 && triggers.schedules.length === 0)) {
    return reason('trigger', { measured, sentence: `${reached(measured)}.` });
  }
  return reason('trigger', {
    measured,
    threshold: 'whether anybody waits for its answer',
    favours: 'function',
    sentence: `It is set off by ${measured} only: nobody waits while an instance of a function starts.`,
  });
};

function wordsFor({ request: { facts } }: ReasonContext): string {
  const { routes, events, schedules, callers } = facts.triggers;
  const words = [
    ...(routes > 0 ? [count(routes, 'HTTP route')] : []),
    ...(events.length > 0 ? ['events'] : []),
    ...(schedules.length > 0 ? [count(schedules.length, 'schedule')] : []),
    ...(callers.length > 0 ? ['calls by other components'] : []),
  ];
  return words.length === 0 ? UNKNOWN : list(words);
}

function reached(measured: string): string {
  return measured === UNKNOWN ? 'What sets it off is not known' : `It is reached by ${measured}`;
}

/** What gateways and load balancers cost of a mode's price, a month. */
function doorOf({ outlooks, request }: ReasonContext, mode: Mode): number {
  const { book, lines } = outlooks[mode];
  const fees = request.books.find(({ id }) => id === book)?.fees ?? [];
  const isOf = ({ id }: OfferLine): boolean =>
    fees.some((fee) => id === fee.id || id.startsWith(`${fee.id}-`));
  return lines.filter(isOf).reduce((sum, line) => sum + line.amount, 0);
}

function aMode(mode: Mode): string {
  return `a ${mode}`;
}
