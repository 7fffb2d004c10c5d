import { changes } from '../changes.ts';
import { list, percent, rate } from '../words.ts';
import { reason, type Judge } from './reason.ts';

/** Times at which it runs by itself: in between a function costs nothing. */
export const schedule: Judge = (context) => {
  const { triggers } = context.request.facts;
  const { schedules } = triggers;
  const { perSecond, busy } = context.shape;
  if (schedules.length === 0)
    return reason('schedule', { measured: 'none', sentence: 'No schedule starts it.' });
  const isAll = triggers.routes === 0 && triggers.events.length === 0 && triggers.callers.length === 0;
  const measured = list(schedules.slice(0, 3));
  if (!isAll || busy > 0.5) {
    return reason('schedule', {
      measured,
      sentence: isAll
        ? `Its schedule (${measured}) keeps it busy ${percent(busy)} of the time.`
        : `It also runs by schedule (${measured}).`,
    });
  }
  return reason('schedule', {
    measured,
    value: perSecond * 86_400,
    threshold: 'busy half of the time',
    favours: 'function',
    decisive:
      context.chosen === 'function' &&
      context.turns('durations 100', changes.durations(Math.min(100, 1 / busy))),
    sentence: `It runs by schedule alone (${measured}), ${rate(perSecond)}, and is idle ${percent(1 - busy)} of the time.`,
  });
};
