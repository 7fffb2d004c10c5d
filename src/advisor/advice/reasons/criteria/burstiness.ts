import { changes } from '../changes.ts';
import { count, round } from '../words.ts';
import { reason, type Judge } from './reason.ts';

/** Times the variance of chance, and of the mean in the busiest minute: by day more than at night is no burst. */
const BURSTY = 3;
const PEAKED = 4;
/** Replicas at the peak over those of the mean, from which on a service is sized for its bursts. */
const SIZED_UP = 1.5;

/** Whether calls come one after the other or all at once: a service has to be there for the most that comes. */
export const burstiness: Judge = (context) => {
  const { shape, outlooks, currency } = context;
  const { dispersion, peakPerMinute, arrivals, spanMs } = shape;
  const perMinute = (arrivals / spanMs) * 60_000;
  const measured = `${round(peakPerMinute)} in its busiest minute, ${round(perMinute)} on average`;
  const about = {
    measured,
    value: dispersion,
    threshold: `${PEAKED} times the mean, and counts by minute that vary ${BURSTY} times as much as by chance`,
  };
  const { peak, mean } = outlooks.service.instances;
  if (dispersion < BURSTY || peakPerMinute < PEAKED * perMinute) {
    return reason('burstiness', { ...about, sentence: `Its calls come without bursts: ${measured}.` });
  }
  const decisive = context.turns('even', changes.even);
  const [now, even] = [context.base().perMonth.service, context.ask('even', changes.even).perMonth.service];
  const amount = now === null || even === null ? 0 : now - even;
  const isSizedUp = peak > SIZED_UP * mean || amount >= 0.005;
  if (!isSizedUp) {
    return reason('burstiness', {
      ...about,
      decisive,
      sentence: `Its calls come in bursts (${measured}), which ${count(Math.ceil(peak), 'replica')} can take.`,
    });
  }
  return reason('burstiness', {
    ...about,
    favours: 'function',
    difference: amount >= 0.005 ? { amount, unit: `${currency} a month` } : null,
    decisive,
    sentence: `Its calls come in bursts (${measured}): a service has to grow to ${count(Math.ceil(peak), 'replica')} for them, a function’s instances are there while they last.`,
  });
};
