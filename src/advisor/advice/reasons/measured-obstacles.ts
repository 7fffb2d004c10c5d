import { formatBytes } from '../../../base/bytes.ts';
import type { ModeOutlook, Obstacle } from '../../../model/advice.ts';
import { LONGEST_FUNCTION_TIMEOUT_MS, type Mode } from '../../../model/app.ts';
import type { Used } from '../../../model/used.ts';
import type { AdviceRequest, PerMode } from '../request.ts';
import { longerThan, type Shape } from './shape.ts';
import { count, percent, took } from './words.ts';

type Extent = Pick<Shape, 'arrivals' | 'longestMs'>;

const MODES: readonly Mode[] = ['function', 'service'];
/** One in so many may be a client that hung: more than that is what it does. */
const SELDOM = 1 / 10_000;
/** From here on the longest comes near the limit. */
const NEAR = 2 / 3;
/** Cores that instances use beside their invocations, and the share of all, from which on it is no garbage collection or health check. */
const BETWEEN_CORES = 0.02;
const BETWEEN_SHARE = 0.3;
const LEAST_LIVED_MS = 3_600_000;
/** Days that tell a trend, what of them must have risen, and by how much. */
const LEAST_DAYS = 4;
const RISING = 0.8;
const GROWN = 1.5;
const REFUSED = 0.001;

/** What was measured, or came out of the replay, that stands against a mode. */
export function measuredObstacles(
  request: AdviceRequest,
  outlooks: PerMode<ModeOutlook>,
  extent: Extent,
): Obstacle[] {
  return [
    ...durationObstacles(request, extent),
    ...betweenObstacles(request.measured),
    ...growthObstacles(request),
    ...MODES.flatMap((mode) => refusedObstacles(outlooks[mode])),
  ];
}

/** Impossible is what no timeout can allow; what the present one would cut off can be mended by a longer one. */
function durationObstacles({ facts, traffic }: AdviceRequest, extent: Extent): Obstacle[] {
  const { longestMs, arrivals } = extent;
  if (longestMs > LONGEST_FUNCTION_TIMEOUT_MS) {
    const tooLong = Math.max(1, Math.round(longerThan(traffic, LONGEST_FUNCTION_TIMEOUT_MS)));
    return [
      {
        mode: 'function',
        severity: tooLong / arrivals > SELDOM ? 'impossible' : 'warning',
        criterion: 'duration',
        text: `${count(tooLong, 'call')} of ${arrivals.toLocaleString('en-US')} took longer than the ${took(LONGEST_FUNCTION_TIMEOUT_MS)} that a function may take.`,
        evidence: [`The longest took ${took(longestMs)}.`],
      },
      ...cutOff('service', facts.service.timeoutMs, extent),
    ];
  }
  const near: Obstacle[] =
    longestMs < NEAR * LONGEST_FUNCTION_TIMEOUT_MS
      ? []
      : [
          {
            mode: 'function',
            severity: 'warning',
            criterion: 'duration',
            text: `The longest call took ${took(longestMs)}, and a function may take ${took(LONGEST_FUNCTION_TIMEOUT_MS)} at most.`,
            evidence: [],
          },
        ];
  return [
    ...near,
    ...cutOff('function', facts.function.timeoutMs, extent),
    ...cutOff('service', facts.service.timeoutMs, extent),
  ];
}

function cutOff(mode: Mode, timeoutMs: number, { longestMs }: Extent): Obstacle[] {
  if (longestMs <= timeoutMs) return [];
  return [
    {
      mode,
      severity: 'warning',
      criterion: 'duration',
      text: `Its timeout of ${took(timeoutMs)} as a ${mode} would cut off the longest calls, which take ${took(longestMs)}.`,
      evidence: [],
    },
  ];
}

/** Services alone live between their calls; of functions the time until they end is too short to tell. */
function betweenObstacles(measured: readonly Used[]): Obstacle[] {
  const services = measured.filter(({ mode }) => mode === 'service');
  const livedMs = total(services, ({ instances }) => instances.livedMs);
  const allMs = total(services, ({ instances }) => instances.cpuMs);
  const betweenMs = allMs - total(services, ({ cpuMs }) => cpuMs);
  if (livedMs < LEAST_LIVED_MS) return [];
  if (betweenMs / livedMs < BETWEEN_CORES || betweenMs / allMs < BETWEEN_SHARE) return [];
  return [
    {
      mode: 'function',
      severity: 'warning',
      criterion: 'background',
      text: 'It seems to work between calls, and a function stands still between them.',
      evidence: [
        `${percent(betweenMs / allMs)} of its CPU time was no call’s, ${percent(betweenMs / livedMs)} of a core for as long as it lived.`,
      ],
    },
  ];
}

/** A leak ends a service in the end; a function's instances are renewed all the time. */
function growthObstacles({ measured, facts }: AdviceRequest): Obstacle[] {
  const days = measured
    .filter(
      ({ mode, instances }) => mode === 'service' && instances.usedByteMs !== null && instances.livedMs > 0,
    )
    .toSorted((a, b) => a.fromMs - b.fromMs)
    .map(({ instances }) => instances.usedByteMs! / instances.livedMs);
  if (days.length < LEAST_DAYS) return [];
  const rises = days.slice(1).filter((bytes, i) => bytes > days[i]!).length;
  const [first, last] = [days[0]!, days.at(-1)!];
  if (rises / (days.length - 1) < RISING || last < GROWN * first) return [];
  return [
    {
      mode: 'service',
      severity: 'warning',
      criterion: 'resources',
      text: `As a service its memory grew from ${formatBytes(first)} to ${formatBytes(last)} in ${days.length} days: a leak ends a process that stays.`,
      evidence: [`Its setting is ${formatBytes(facts.service.memoryBytes)} an instance.`],
    },
  ];
}

function refusedObstacles({ mode, executed, refused }: ModeOutlook): Obstacle[] {
  const all = executed + refused;
  if (all === 0 || refused / all < REFUSED) return [];
  return [
    {
      mode,
      severity: 'warning',
      criterion: 'burstiness',
      text: `As a ${mode}, ${count(refused, 'call')} of ${all.toLocaleString('en-US')} would be refused: its settings do not let it grow with its bursts.`,
      evidence: [],
    },
  ];
}

function total(used: readonly Used[], of: (one: Used) => number): number {
  return used.reduce((sum, one) => sum + of(one), 0);
}
