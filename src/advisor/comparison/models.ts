import { formatBytes } from '../../base/bytes.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Mode } from '../../model/app.ts';
import type { FunctionModel, ServiceModel } from '../../model/simulation.ts';
import { FORKED, measuredTimes, SPAWNED, timesOf, type P50P99 } from '../simulator/engine-times.ts';
import type { ReadTrace, TracedFunction } from '../traffic/traced.ts';
import type { ComparisonRequest } from './request.ts';

const MB = 1024 ** 2;
/** What has no memory in the trace, in both modes: a function's default. */
const DEFAULT_MEMORY_BYTES = 128 * MB;
/** Long enough for whatever a trace holds to end. */
const TIMEOUT_MS = 900_000;
const MAX_QUEUED = 1_000;
/** What a new account has at most at a time at AWS. */
const MAX_INSTANCES = 1_000;
const MAX_REPLICAS = 1_000;

export interface Models {
  /** What this function is replayed against. */
  of(mode: Mode, traced: TracedFunction): FunctionModel | ServiceModel;
  /** What they rest on, as sentences. */
  readonly notes: readonly string[];
}

const DEFAULT_KEEP_ALIVE_MS = 1_000;
const DEFAULT_CONCURRENCY: Readonly<Record<Mode, number>> = { function: 1, service: 100 };

/** Requests that an instance of it works on at a time. */
export function concurrencyOf(request: ComparisonRequest, mode: Mode, { models }: TracedFunction): number {
  return request.concurrency[mode] ?? models?.[mode].settings.concurrency ?? DEFAULT_CONCURRENCY[mode];
}

/** The models that the functions of a trace are replayed against: of its own settings where it tells them, as far as the request says nothing else. */
export function modelsOf(
  request: ComparisonRequest,
  trace: Pick<ReadTrace, 'functions' | 'startsMs'>,
): Models {
  const assumed = trace.functions.filter(({ models }) => models === undefined);
  const defaults = defaultsOf(request, trace.startsMs);
  const notes = assumed.length > 0 ? [...defaults.notes] : [];
  if (assumed.length < trace.functions.length) {
    notes.push(
      'Each is replayed with its own settings, and starts as measured here: its own where there were 20, else those of the engine.',
    );
  }
  if (request.memoryBytes === null && assumed.some(({ memoryBytes }) => memoryBytes === null)) {
    notes.push(`Memory is not in the trace: ${formatBytes(DEFAULT_MEMORY_BYTES)} is assumed (--memory).`);
  }
  return {
    notes,
    of: (mode, traced) =>
      traced.models === undefined
        ? defaults.of(mode, request.memoryBytes ?? traced.memoryBytes ?? DEFAULT_MEMORY_BYTES)
        : changed(traced.models[mode], request),
  };
}

/** A model of the trace's own, with what the request says otherwise. */
function changed(
  model: FunctionModel | ServiceModel,
  request: ComparisonRequest,
): FunctionModel | ServiceModel {
  const { memoryBytes, keepAliveMs, coldStart } = request;
  const concurrency = request.concurrency[model.mode];
  const run = {
    ...(memoryBytes === null ? {} : { memoryBytes }),
    ...(concurrency === null ? {} : { concurrency }),
  };
  if (model.mode === 'service') return { ...model, settings: { ...model.settings, ...run } };
  const keepAlive = keepAliveMs === null ? {} : { keepAlive: 'fixed' as const, keepAliveMs };
  return {
    ...model,
    settings: { ...model.settings, ...run, ...keepAlive },
    ...(coldStart === null ? {} : { coldStart: timesOf(coldStart) }),
  };
}

interface Defaults {
  of(mode: Mode, memoryBytes: number): FunctionModel | ServiceModel;
  readonly notes: readonly string[];
}

function defaultsOf(request: ComparisonRequest, startsMs: readonly number[]): Defaults {
  const keepAliveMs = request.keepAliveMs ?? DEFAULT_KEEP_ALIVE_MS;
  const given = request.coldStart;
  const traced = given === null && startsMs.length > 0;
  const coldStart = traced ? measuredTimes(startsMs) : timesOf(given ?? FORKED);
  const start = timesOf(SPAWNED);
  const notes = [
    traced
      ? `Cold starts take what the ${startsMs.length.toLocaleString('en-GB')} init durations in the trace tell.`
      : `A cold start takes ${p50p99(given ?? FORKED)}${given === null ? ', as measured of the fork engine' : ''}; idle instances stay ${formatDuration(keepAliveMs)}.`,
    `A replica starts in ${p50p99(SPAWNED)} and has one processor.`,
  ];
  return {
    notes,
    of(mode, memoryBytes) {
      const run = { memoryBytes, timeoutMs: TIMEOUT_MS, maxQueued: MAX_QUEUED };
      const concurrency = request.concurrency[mode] ?? DEFAULT_CONCURRENCY[mode];
      if (mode === 'function') {
        return {
          mode,
          settings: {
            ...run,
            concurrency,
            keepAliveMs,
            keepAlive: 'fixed',
            fresh: false,
            maxInstances: MAX_INSTANCES,
          },
          coldStart,
          provisioned: 0,
        };
      }
      return {
        mode,
        settings: {
          ...run,
          concurrency,
          minReplicas: 1,
          maxReplicas: MAX_REPLICAS,
          affinity: null,
          healthIntervalMs: 10_000,
          drainMs: 30_000,
        },
        start,
        cpus: 1,
      };
    },
  };
}

function p50p99({ p50Ms, p99Ms }: P50P99): string {
  return p50Ms === p99Ms
    ? formatDuration(p50Ms)
    : `p50 ${formatDuration(p50Ms)}, p99 ${formatDuration(p99Ms)}`;
}
