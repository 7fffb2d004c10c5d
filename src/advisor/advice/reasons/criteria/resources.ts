import { formatBytes } from '../../../../base/bytes.ts';
import type { OfferLine } from '../../../../model/comparison.ts';
import { changes } from '../changes.ts';
import { percent, round, money } from '../words.ts';
import { reason, wordsOf, type Judge } from './reason.ts';

/** Below this share of computing a replica has time for others; above the other one none. */
const WAITS = 0.5;
const COMPUTES = 0.8;
const COMPUTE_LINES = new Set(['gb-seconds', 'vcpu-seconds', 'cpu-ms']);

/** Memory, and whether calls compute or wait: a function's instance is paid for while it waits, a replica serves others. */
export const resources: Judge = (context) => {
  const { shape, request, outlooks, currency, chosen } = context;
  const { cpuShare, atWork, meanMs } = shape;
  const measured = `${formatBytes(request.facts.function.memoryBytes)} as a function, ${formatBytes(request.facts.service.memoryBytes)} as a service; computes ${percent(cpuShare)} of its time`;
  const [obstacle] = context.against('resources');
  if (obstacle !== undefined) {
    return reason('resources', {
      measured,
      value: cpuShare,
      favours: obstacle.mode === 'function' ? 'service' : 'function',
      decisive:
        obstacle.severity === 'impossible' &&
        context.turns(`mended ${obstacle.mode} resources`, changes.mended(obstacle.mode, ['resources'])),
      sentence: wordsOf(obstacle),
    });
  }
  const threshold = `${percent(WAITS)} computing`;
  if (cpuShare < WAITS && atWork > 0) {
    const compute = outlooks.function.lines.filter(isCompute).reduce((sum, { amount }) => sum + amount, 0);
    const amount = compute * (1 - cpuShare);
    return reason('resources', {
      measured,
      value: cpuShare,
      threshold,
      favours: 'service',
      difference: outlooks.function.perMonth === null ? null : { amount, unit: `${currency} a month` },
      decisive: chosen === 'service' && context.turns('no waiting', changes.lessWaiting(1)),
      sentence: `It waits ${percent(1 - cpuShare)} of its time: a function is paid for while it waits (${money(amount, currency)} a month), a replica works on other calls.`,
    });
  }
  if (cpuShare >= COMPUTES && meanMs >= 100 && outlooks.service.instances.peak > 1) {
    return reason('resources', {
      measured,
      value: cpuShare,
      threshold,
      favours: 'function',
      sentence: `It computes for ${percent(cpuShare)} of its time: as a function each call has a process to itself, as a service it takes up to ${round(outlooks.service.instances.peak)} replicas.`,
    });
  }
  return reason('resources', {
    measured,
    value: cpuShare,
    threshold,
    sentence: `It computes ${percent(cpuShare)} of its time, which favours neither.`,
  });
};

function isCompute({ id }: OfferLine): boolean {
  return COMPUTE_LINES.has(id);
}
