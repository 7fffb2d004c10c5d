import { changes } from '../changes.ts';
import { money, otherMode, round } from '../words.ts';
import { reason, type Judge } from './reason.ts';

/** The hours of work that a month of each mode takes, where somebody counts them. */
export const operations: Judge = (context) => {
  const { hoursPerMonth, perHour } = context.request.settings.operations;
  const { currency } = context;
  const hours = { function: hoursPerMonth.function, service: hoursPerMonth.service };
  if (perHour === 0 || (hours.function === 0 && hours.service === 0)) {
    return reason('operations', {
      measured: 'not counted',
      threshold: 'hours of work a month, and what one costs',
      sentence: 'Hours of work on it are not counted (`advisor.operations` in the config).',
    });
  }
  const measured = `${round(hours.function)} h a month as a function, ${round(hours.service)} h as a service, at ${money(perHour, currency)} each`;
  const amount = Math.abs(hours.function - hours.service) * perHour;
  const favours =
    hours.function === hours.service ? null : hours.function < hours.service ? 'function' : 'service';
  return reason('operations', {
    measured,
    value: hours.function - hours.service,
    threshold: 'as many hours in both',
    favours,
    difference: favours === null ? null : { amount, unit: `${currency} a month` },
    decisive: context.turns('no operations', changes.operations({ function: 0, service: 0 })),
    sentence:
      favours === null
        ? `Both modes take as much work: ${measured}.`
        : `As a ${favours} it takes ${money(amount, currency)} a month less work than as a ${otherMode(favours)}: ${measured}.`,
  });
};
