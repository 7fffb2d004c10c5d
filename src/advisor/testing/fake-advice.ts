import type { AdviceVerdict, Band, ModeOutlook } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import type { AdviceRequest, PerMode } from '../advice/request.ts';
import type { AgainAnswer, ReasonInput } from '../advice/reasons/input.ts';
import { obstaclesOf } from '../advice/reasons/obstacles.ts';
import { shapeOf } from '../advice/reasons/shape.ts';
import { outlooksOf } from './advice-request.ts';

const MONTH_MS = 730 * 3_600_000;
const MODES = ['function', 'service'] as const;
/** Dollars: a GB-second, a request, a replica of 256 MB, a load balancer. */
const [GB_SECOND, REQUEST, REPLICA, BALANCER] = [0.0000166667, 0.0000002, 9, 16];
const GB = 1024 ** 3;

/**
 * A verdict by a formula in place of replays: functions are paid by memory and time, a service by replicas of one processor and its load balancer, and
 * functions start in 300 ms.
 */
export function fakeInput(request: AdviceRequest): ReasonInput {
  const outlooks = outlooksFor(request);
  const mode = modeOf(request);
  const obstacles = obstaclesOf(request, outlooks);
  return {
    request,
    outlooks,
    obstacles,
    verdict: mode === null ? { kind: 'neither', because: 'impossible' } : verdictFor(request, mode, outlooks),
    breakEven: breakEvenOf(request),
    again: (change) => answerOf(change(request)),
  };
}

function verdictFor(request: AdviceRequest, mode: Mode, outlooks: PerMode<ModeOutlook>): AdviceVerdict {
  const blocked = obstaclesOf(request, outlooks).some(({ severity }) => severity === 'impossible');
  const missed = MODES.some((each) => misses(request, outlooks, each));
  return {
    kind: request.exists && request.facts.mode === mode ? 'keep' : 'switch',
    mode,
    certainty: 1,
    saves: null,
    because: blocked ? 'only-possible' : missed ? 'objective' : 'cheapest',
  };
}

function answerOf(request: AdviceRequest): AgainAnswer {
  const outlooks = outlooksFor(request);
  return {
    mode: modeOf(request),
    perMonth: {
      function: outlooks.function.perMonth?.mid ?? null,
      service: outlooks.service.perMonth?.mid ?? null,
    },
    p99Ms: { function: outlooks.function.p99Ms?.mid ?? null, service: outlooks.service.p99Ms?.mid ?? null },
  };
}

function modeOf(request: AdviceRequest): Mode | null {
  const outlooks = outlooksFor(request);
  const obstacles = obstaclesOf(request, outlooks);
  const possible = MODES.filter(
    (mode) =>
      !obstacles.some((one) => one.mode === mode && one.severity === 'impossible') &&
      !misses(request, outlooks, mode),
  );
  const cost = (mode: Mode): number => outlooks[mode].perMonth!.mid;
  return possible.toSorted((a, b) => cost(a) - cost(b))[0] ?? null;
}

function misses({ facts }: AdviceRequest, outlooks: PerMode<ModeOutlook>, mode: Mode): boolean {
  return facts.objective.p99Ms !== null && outlooks[mode].p99Ms!.mid > facts.objective.p99Ms;
}

function outlooksFor(request: AdviceRequest): PerMode<ModeOutlook> {
  const { facts, settings, without, traffic } = request;
  const shape = shapeOf(traffic);
  const work = (mode: Mode): number => settings.operations.hoursPerMonth[mode] * settings.operations.perHour;
  const months = MONTH_MS / shape.spanMs;
  const compute = ((shape.arrivals * shape.meanMs) / 1_000) * (facts.function.memoryBytes / GB) * GB_SECOND;
  const replicas = Math.max(1, Math.ceil(shape.atWork * shape.cpuShare * burst(shape.dispersion)));
  const balancer = without.includes('load-balancer') ? 0 : BALANCER;
  const size = facts.service.memoryBytes / (256 * 1024 ** 2);
  return outlooksOf({
    function: {
      perMonth: band((compute + shape.arrivals * REQUEST) * months + work('function')),
      lines: [line('gb-seconds', compute * months)],
      p99Ms: band(shape.p99Ms + 300),
      executed: shape.arrivals,
      coldStarts: shape.arrivals,
    },
    service: {
      perMonth: band(replicas * REPLICA * size + balancer + work('service')),
      lines: [line('load-balancer', balancer)],
      p99Ms: band(shape.p99Ms),
      executed: shape.arrivals,
      instances: { mean: 1, peak: replicas },
    },
  });
}

function burst(dispersion: number): number {
  return dispersion > 3 ? 4 : 1;
}

function line(id: string, amount: number): ModeOutlook['lines'][number] {
  return { id, title: id, quantity: 1, unit: '', free: 0, parts: [], amount, verified: true };
}

function band(mid: number): Band {
  return { low: mid, mid, high: mid };
}

/** By bisection of a formula; none where a thousandfold does not reach it. */
function breakEvenOf(request: AdviceRequest): ReasonInput['breakEven'] {
  const outlooks = outlooksFor(request);
  const { perSecond } = shapeOf(request.traffic);
  const times = outlooks.service.perMonth!.mid / outlooks.function.perMonth!.mid;
  return times > 1_000 || times < 1 / 1_000 ? null : { times, band: null, perSecond: perSecond * times };
}
