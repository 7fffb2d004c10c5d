import type { Traffic } from '../../../model/simulation.ts';
import type { Mode } from '../../../model/app.ts';
import type { Criterion } from '../../../model/advice.ts';
import { scaledTraffic } from '../arrivals.ts';
import type { AdviceRequest, AdviceTraffic, PerMode } from '../request.ts';
import { mended } from './findings.ts';
import type { Change } from './input.ts';

/** What is asked "and if …?" of a verdict. Each leaves alone what it is not about, so that nothing is replayed without need. */
export const changes = {
  nothing: (request: AdviceRequest): AdviceRequest => request,

  /** So many times the calls, each as before; bursts stay bursts. */
  traffic:
    (factor: number): Change =>
    (request) => ({ ...request, traffic: scaledTraffic(request.traffic, factor) }),

  /** Each call takes so many times as long, and computes so many times as much. */
  durations:
    (factor: number): Change =>
    (request) =>
      withDurations(request, (durationMs, cpuMs) => [durationMs * factor, cpuMs * factor]),

  /** No call takes longer than that. */
  atMost:
    (limitMs: number): Change =>
    (request) =>
      withDurations(request, (durationMs, cpuMs) => [
        Math.min(durationMs, limitMs),
        Math.min(cpuMs, limitMs),
      ]),

  /** Calls compute as much as they did, and do not wait for such a share of their time, 0 to 1. */
  lessWaiting:
    (share: number): Change =>
    (request) =>
      withDurations(request, (durationMs, cpuMs) => [Math.max(cpuMs, durationMs * (1 - share)), cpuMs]),

  /** The same number of calls, one every so many ms. */
  even: (request: AdviceRequest): AdviceRequest => ({ ...request, traffic: evenTraffic(request.traffic) }),

  memory:
    (factor: number): Change =>
    (request) => {
      const { facts } = request;
      const times = <T extends { readonly memoryBytes: number }>(settings: T): T => ({
        ...settings,
        memoryBytes: Math.round(settings.memoryBytes * factor),
      });
      return {
        ...request,
        facts: { ...facts, function: times(facts.function), service: times(facts.service) },
      };
    },

  objective:
    (p99Ms: number | null): Change =>
    (request) => ({ ...request, facts: { ...request.facts, objective: { p99Ms } } }),

  /** What operations of each mode cost a month. */
  operations:
    (perMonth: PerMode<number>): Change =>
    (request) => ({
      ...request,
      settings: { ...request.settings, operations: { hoursPerMonth: perMonth, perHour: 1 } },
    }),

  /** What stands against `mode` of these criteria is not there. */
  mended:
    (mode: Mode, criteria: readonly Criterion[]): Change =>
    (request) => {
      let { facts } = request;
      for (const criterion of criteria) facts = mended(facts, mode, criterion);
      return { ...request, facts };
    },

  /** Gateways and load balancers are there anyway, or are not needed. */
  withoutFees: (request: AdviceRequest): AdviceRequest => ({
    ...request,
    without: [
      ...new Set([...request.without, ...request.books.flatMap(({ fees }) => fees.map(({ id }) => id))]),
    ],
  }),

  /** A module that starts as such do, in place of a program. */
  takenApart: (request: AdviceRequest): AdviceRequest => ({
    ...request,
    facts: { ...request.facts, kind: 'module', startsMs: { ...request.facts.startsMs, function: [] } },
  }),
};

type Duration = (durationMs: number, cpuMs: number) => readonly [durationMs: number, cpuMs: number];

function withDurations(request: AdviceRequest, of: Duration): AdviceRequest {
  return { ...request, traffic: changedTraffic(request.traffic, of) };
}

function changedTraffic(source: AdviceTraffic, of: Duration): AdviceTraffic {
  if (source.kind === 'minutes') {
    const { traffic } = source;
    const quantilesMs = traffic.duration.quantilesMs.map((ms) => of(ms, ms * traffic.cpuShare)[0]);
    const before = total(traffic.duration.quantilesMs, (ms) => ms * traffic.cpuShare);
    const computed = total(traffic.duration.quantilesMs, (ms) => of(ms, ms * traffic.cpuShare)[1]);
    const all = total(quantilesMs, (ms) => ms);
    const cpuShare = all === 0 || before === 0 ? traffic.cpuShare : Math.min(1, computed / all);
    return { ...source, traffic: { ...traffic, duration: { quantilesMs }, cpuShare } };
  }
  const { traffic } = source;
  const durationMs = new Float32Array(traffic.durationMs.length);
  const cpuMs = new Float32Array(durationMs.length);
  for (let i = 0; i < durationMs.length; i++) {
    const [tookMs, computedMs] = of(traffic.durationMs[i]!, traffic.cpuMs[i]!);
    durationMs[i] = tookMs;
    cpuMs[i] = computedMs;
  }
  return { ...source, traffic: { ...traffic, durationMs, cpuMs } };
}

function evenTraffic(source: AdviceTraffic): AdviceTraffic {
  if (source.kind === 'minutes') {
    const { traffic } = source;
    const each = total(Array.from(traffic.invocations), (n) => n) / Math.max(1, traffic.invocations.length);
    // Whole numbers that add up to the same.
    const invocations = Array.from(
      { length: traffic.invocations.length },
      (_, i) => Math.round((i + 1) * each) - Math.round(i * each),
    );
    return { ...source, traffic: { ...traffic, invocations } };
  }
  const { traffic } = source;
  const { fromMs, toMs, arrivedAtMs } = traffic;
  const pauseMs = (toMs - fromMs) / Math.max(1, arrivedAtMs.length);
  const even: Traffic = { ...traffic, arrivedAtMs: arrivedAtMs.map((_, i) => fromMs + (i + 0.5) * pauseMs) };
  return { ...source, traffic: even };
}

function total(values: readonly number[], of: (value: number) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0);
}
