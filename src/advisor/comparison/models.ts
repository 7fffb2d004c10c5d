import { formatBytes } from '../../base/bytes.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Mode } from '../../model/app.ts';
import type { FunctionModel, ServiceModel, Times } from '../../model/simulation.ts';
import { logNormalOf, type LogNormal } from '../traffic/durations.ts';
import type { ComparisonRequest } from './request.ts';

const MB = 1024 ** 2;
/** What has no memory in the trace, in both modes: a function's default. */
const DEFAULT_MEMORY_BYTES = 128 * MB;
/**
 * Of the fork engine: a function whose code comes from the disk, in its sandbox, as docs/ARCHITECTURE.md has it measured. One whose zygote is
 * there starts in a third of that.
 */
const FORKED = { p50Ms: 10, p99Ms: 27 };
/** A replica in its sandbox on the spawn engine, measured there too. */
const REPLICA = { p50Ms: 245, p99Ms: 280 };
/** Long enough for whatever a trace holds to end. */
const TIMEOUT_MS = 900_000;
const MAX_QUEUED = 1_000;
/** What a new account has at most at a time at AWS. */
const MAX_INSTANCES = 1_000;
const MAX_REPLICAS = 1_000;

export interface Models {
  /** For a function with this memory setting. */
  of(mode: Mode, memoryBytes: number): FunctionModel | ServiceModel;
  memoryOf(tracedBytes: number | null): number;
  /** What they rest on, as sentences. */
  readonly notes: readonly string[];
}

/** The models that all functions of a trace are replayed against. @param startsMs of instances, as the trace tells. */
export function modelsOf(request: ComparisonRequest, startsMs: readonly number[], untold: boolean): Models {
  const given = request.coldStart;
  const traced = given === null && startsMs.length > 0;
  const coldStart = traced ? quantilesOf(startsMs) : times(given ?? FORKED);
  const start = times(REPLICA);
  const notes = [
    traced
      ? `Cold starts take what the ${startsMs.length.toLocaleString('en-GB')} init durations in the trace tell.`
      : `A cold start takes ${p50p99(given ?? FORKED)}${given === null ? ', as measured of the fork engine' : ''}; idle instances stay ${formatDuration(request.keepAliveMs)}.`,
    `A replica starts in ${p50p99(REPLICA)} and has one processor.`,
  ];
  if (untold && request.memoryBytes === null) {
    notes.push(`Memory is not in the trace: ${formatBytes(DEFAULT_MEMORY_BYTES)} is assumed (--memory).`);
  }
  return {
    notes,
    memoryOf: (tracedBytes) => request.memoryBytes ?? tracedBytes ?? DEFAULT_MEMORY_BYTES,
    of(mode, memoryBytes) {
      const run = { memoryBytes, timeoutMs: TIMEOUT_MS, maxQueued: MAX_QUEUED };
      const concurrency = request.concurrency[mode];
      if (mode === 'function') {
        return {
          mode,
          settings: {
            ...run,
            concurrency,
            keepAliveMs: request.keepAliveMs,
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

function p50p99({ p50Ms, p99Ms }: { readonly p50Ms: number; readonly p99Ms: number }): string {
  return p50Ms === p99Ms
    ? formatDuration(p50Ms)
    : `p50 ${formatDuration(p50Ms)}, p99 ${formatDuration(p99Ms)}`;
}

function times({ p50Ms, p99Ms }: { readonly p50Ms: number; readonly p99Ms: number }): Times {
  return p50Ms === p99Ms ? { quantilesMs: [p50Ms] } : logNormalTimes(logNormalOf(p50Ms, p99Ms));
}

const STEPS = 200;

/** Quantiles at 0 to 100 % in steps of a half; the two ends are those at 0.25 and 99.75 %. */
function logNormalTimes({ mean, deviation }: LogNormal): Times {
  return {
    quantilesMs: Array.from({ length: STEPS + 1 }, (_, i) => {
      const share = Math.min(Math.max(i / STEPS, 0.0025), 0.9975);
      return Math.exp(mean + deviation * standardQuantile(share));
    }),
  };
}

/** Of the standard normal distribution: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23; right to 0.00045. */
function standardQuantile(share: number): number {
  if (share > 0.5) return -standardQuantile(1 - share);
  const t = Math.sqrt(-2 * Math.log(share));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return above / below - t;
}

function quantilesOf(valuesMs: readonly number[]): Times {
  const sorted = Float64Array.from(valuesMs).sort();
  return {
    quantilesMs: Array.from({ length: STEPS + 1 }, (_, i) => {
      const at = Math.round((i / STEPS) * (sorted.length - 1));
      return sorted[at]!;
    }),
  };
}
