import { changes } from '../changes.ts';
import { took } from '../words.ts';
import { reason, type Judge } from './reason.ts';

/** Whether it is a program that was there before, which starts slowly and of whose inside nothing is known. */
export const legacy: Judge = (context) => {
  const { facts } = context.request;
  if (facts.kind !== 'command')
    return reason('legacy', {
      measured: facts.kind === 'group' ? 'modules that share a process' : 'a module',
      threshold: 'a program of its own',
      sentence: 'It is made of modules, which both modes are for.',
    });
  const starts = facts.startsMs.function.length > 0 ? facts.startsMs.function : facts.startsMs.service;
  const startMs = starts.toSorted((a, b) => a - b)[Math.floor(starts.length / 2)] ?? null;
  return reason('legacy', {
    measured:
      startMs === null ? 'a program of its own' : `a program of its own that starts in ${took(startMs)}`,
    value: startMs,
    threshold: 'a module',
    favours: 'service',
    difference: startMs === null ? null : { amount: startMs, unit: 'ms' },
    decisive: context.turns('taken apart', changes.takenApart),
    sentence: `It is a program as it was before${startMs === null ? '' : `, which takes ${took(startMs)} to start`}: as a service it runs unchanged, as a function each new instance starts all of it.`,
  });
};
