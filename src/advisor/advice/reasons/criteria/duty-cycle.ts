import type { Reason } from '../../../../model/advice.ts';
import type { ReasonContext } from '../context.ts';
import { percent, round } from '../words.ts';
import { reason, type Judge } from './reason.ts';

/** Beyond the factor at which both cost the same by so much, the other must be the answer: a tie keeps what is there. */
const BEYOND = 1.25;
/** Where it is asked anew; further off the break-even alone is believed, which was replayed. */
const FARTHEST = 100;
const MOSTLY = 0.5;
/** Of the time: it hardly ever rests. */
const ALWAYS = 0.9;

/** Whether it is at work round the clock or now and then: a service is paid for all of the time, a function for what it works. */
export const dutyCycle: Judge = (context) => {
  const { shape, breakEven, gap, chosen } = context;
  const { busy, atWork } = shape;
  const measured = `busy ${percent(busy)} of the time, ${round(atWork)} calls at work on average`;
  const about = { measured, value: busy };
  if (breakEven === null || gap === null) {
    const cheaper = gap === null || chosen === null ? null : gap > 0 ? 'function' : 'service';
    // Of one that is busy all the time the bill alone tells that a function is still cheaper.
    const favours = cheaper === 'function' && busy > MOSTLY ? null : cheaper;
    return reason('duty-cycle', {
      ...about,
      threshold: 'none: both never cost the same',
      favours,
      difference: differenceOf(context, favours),
      sentence:
        favours === 'function'
          ? `It is busy ${percent(busy)} of the time; a service is paid for all of it.`
          : `It is busy ${percent(busy)} of the time, and at no rate do both modes cost the same.`,
    });
  }
  const favours = breakEven.times > 1 ? 'function' : 'service';
  const border = round(atWork * breakEven.times);
  return reason('duty-cycle', {
    ...about,
    threshold: `${border} calls at work on average, at which both cost the same`,
    favours,
    difference: differenceOf(context, favours),
    decisive: chosen === favours && isDecisive(context, breakEven.times),
    sentence:
      favours === 'function'
        ? `It is busy ${percent(busy)} of the time, and a service would be paid for all of it.`
        : `It has ${round(atWork)} calls at work ${busy > ALWAYS ? 'at any moment, day and night' : 'on average'}; from ${border} on a service costs less.`,
  });
};

/** Whether the answer turns before it is busy round the clock, or before it is busy only one hundredth of that. */
function isDecisive(context: ReasonContext, times: number): boolean {
  const { atWork } = context.shape;
  const pole = times > 1 ? Math.max(1 / atWork, 10) : Math.min(0.01 / atWork, 0.1);
  if (times > 1 ? times > pole : times < pole) return false;
  if (times > FARTHEST || times < 1 / FARTHEST) return true;
  const factor = times > 1 ? times * BEYOND : times / BEYOND;
  return context.turnsWith(factor);
}

/** Of a service what is paid while nothing is at work; of a function what it costs more. */
function differenceOf(
  { outlooks, shape, gap, currency }: ReasonContext,
  favours: Reason['favours'],
): Reason['difference'] {
  const unit = `${currency} a month`;
  const { perMonth } = outlooks.service;
  if (favours === 'function' && perMonth !== null) return { amount: (1 - shape.busy) * perMonth.mid, unit };
  return favours === 'service' && gap !== null ? { amount: -gap, unit } : null;
}
