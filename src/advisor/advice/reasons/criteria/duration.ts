import { LONGEST_FUNCTION_TIMEOUT_MS } from '../../../../model/app.ts';
import { changes } from '../changes.ts';
import { otherMode, times, took } from '../words.ts';
import { reason, wordsOf, type Judge } from './reason.ts';

const LONGEST = `${took(LONGEST_FUNCTION_TIMEOUT_MS)} is the longest that a function may take`;

/** How long calls take: against what a function may take at all, and against what makes the other mode cheaper. */
export const duration: Judge = (context) => {
  const { shape, chosen } = context;
  const { p50Ms, p99Ms, longestMs, meanMs } = shape;
  const measured = `half take up to ${took(p50Ms)}, 99 % up to ${took(p99Ms)}, the longest ${took(longestMs)}`;
  const obstacle = context
    .against('duration')
    .find(({ mode, severity }) => mode === 'function' && severity === 'impossible');
  if (obstacle !== undefined) {
    return reason('duration', {
      measured,
      value: longestMs,
      threshold: LONGEST,
      favours: 'service',
      decisive: context.turns('within the limit', changes.atMost(LONGEST_FUNCTION_TIMEOUT_MS)),
      sentence: wordsOf(obstacle),
    });
  }
  const factor =
    chosen === null
      ? null
      : context.turnsAt('durations', changes.durations, chosen === 'function' ? 'more' : 'less');
  if (chosen === null || factor === null) {
    return reason('duration', {
      measured,
      value: meanMs,
      threshold: LONGEST,
      sentence: `Of its calls ${measured}; a hundredfold of that would not change the answer.`,
    });
  }
  return reason('duration', {
    measured,
    value: meanMs,
    threshold: `${took(meanMs * factor)} on average`,
    favours: chosen,
    decisive: factor <= 10 && factor >= 0.1,
    sentence:
      longestMs * factor > LONGEST_FUNCTION_TIMEOUT_MS && chosen === 'function'
        ? `Its calls take ${took(meanMs)} on average; at ${times(factor)} that some take longer than the ${took(LONGEST_FUNCTION_TIMEOUT_MS)} of a function.`
        : `Its calls take ${took(meanMs)} on average; at ${times(factor)} that the ${otherMode(chosen)} would be the better one.`,
  });
};
