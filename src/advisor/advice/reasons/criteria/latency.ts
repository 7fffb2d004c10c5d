import { changes } from '../changes.ts';
import { otherMode, percent, took } from '../words.ts';
import { reason, type Judge } from './reason.ts';

/** Where nothing is asked: a difference that a user would feel, and that is more than noise. */
const FELT_MS = 50;
const NOISE = 0.2;

/** How long callers wait and what they were promised. */
export const latency: Judge = (context) => {
  const { outlooks, request, verdict } = context;
  const [asFunction, asService] = [outlooks.function.p99Ms?.mid ?? null, outlooks.service.p99Ms?.mid ?? null];
  const objectiveMs = request.facts.objective.p99Ms;
  const threshold = objectiveMs === null ? 'none is asked' : `p99 of ${took(objectiveMs)}`;
  if (asFunction === null || asService === null)
    return reason('latency', {
      measured: 'not known',
      threshold,
      sentence: 'Nothing was executed that could tell.',
    });
  const { executed, coldStarts } = outlooks.function;
  const cold = executed === 0 ? 0 : coldStarts / executed;
  const measured = `p99 ${took(asFunction)} as a function (${percent(cold)} wait for a start), ${took(asService)} as a service`;
  const quicker = asFunction < asService ? 'function' : 'service';
  const amount = Math.abs(asFunction - asService);
  const about = { measured, value: asFunction - asService, threshold };
  const difference = { amount, unit: 'ms' };
  if (objectiveMs !== null) {
    const meets = { function: asFunction <= objectiveMs, service: asService <= objectiveMs };
    if (meets.function !== meets.service) {
      const favours = meets.function ? 'function' : 'service';
      return reason('latency', {
        ...about,
        favours,
        difference,
        decisive:
          (verdict.kind !== 'not-enough-evidence' && verdict.because === 'objective') ||
          context.turns('no objective', changes.objective(null)),
        sentence: `As a ${favours} 99 % of its calls are done within ${took(outlooks[favours].p99Ms!.mid)}, as a ${otherMode(favours)} within ${took(outlooks[otherMode(favours)].p99Ms!.mid)}; ${took(objectiveMs)} is asked.`,
      });
    }
    return reason('latency', {
      ...about,
      difference,
      decisive: context.turns('no objective', changes.objective(null)),
      sentence: meets.function
        ? `Both modes meet the ${took(objectiveMs)} that is asked: ${measured}.`
        : `Neither mode meets the ${took(objectiveMs)} that is asked: ${measured}.`,
    });
  }
  const isFelt = amount >= FELT_MS && amount >= NOISE * Math.max(asFunction, asService);
  return reason('latency', {
    ...about,
    favours: isFelt ? quicker : null,
    difference,
    sentence: isFelt
      ? `As a ${quicker} it is quicker: ${measured}.`
      : `Both are about as quick: ${measured}.`,
  });
};
