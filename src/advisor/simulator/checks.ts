import { FulcrumError } from '../../base/errors.ts';
import type { FunctionModel, ServiceModel, Times, Traffic } from '../../model/simulation.ts';

/** The most invocations that one replay takes: their numbers have 32 bits. */
const MOST = 2 ** 31 - 1;

/** Throws `bad-request`, naming the first row that is wrong, where `traffic` cannot be replayed. */
export function checkTraffic(traffic: Traffic): void {
  const { component, arrivedAtMs, durationMs, cpuMs, fromMs, toMs } = traffic;
  const wrong = (text: string): FulcrumError =>
    new FulcrumError('bad-request', `The traffic of "${component}" cannot be replayed: ${text}.`);
  const { length } = arrivedAtMs;
  if (!(Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs < toMs))
    throw wrong(`it must end after it begins, and goes from ${fromMs} to ${toMs} ms`);
  if (durationMs.length !== length || cpuMs.length !== length || length > MOST) {
    const found = `${length}, ${durationMs.length} and ${cpuMs.length}`;
    throw wrong(
      `it must have as many durations and CPU times as arrivals, at most ${MOST}, and has ${found}`,
    );
  }
  let beforeMs = fromMs;
  for (let i = 0; i < length; i++) {
    const atMs = arrivedAtMs[i]!;
    const tookMs = durationMs[i]!;
    const computedMs = cpuMs[i]!;
    // Written so that what is no number fails, too.
    if (!(atMs >= beforeMs && atMs <= toMs))
      throw wrong(
        `arrival ${i} must lie between the one before, or the beginning, and the end (${beforeMs} to ${toMs} ms), and is ${atMs}`,
      );
    if (!(tookMs >= 0 && tookMs < Infinity))
      throw wrong(`duration ${i} must be 0 ms or more, and is ${tookMs}`);
    if (!(computedMs >= 0 && computedMs < Infinity))
      throw wrong(`CPU time ${i} must be 0 ms or more, and is ${computedMs}`);
    beforeMs = atMs;
  }
}

/** Throws `bad-request` where `model` is none that can be replayed. */
export function checkModel(model: FunctionModel | ServiceModel): void {
  const { settings } = model;
  whole('concurrency', settings.concurrency, 1);
  whole('memoryBytes', settings.memoryBytes, 1);
  whole('maxQueued', settings.maxQueued, 0);
  atLeast('timeoutMs', settings.timeoutMs, 0);
  if (model.mode === 'function') checkFunction(model);
  else checkService(model);
}

function checkFunction({ settings, coldStart, provisioned, startsAtOnce = 1 }: FunctionModel): void {
  atLeast('keepAliveMs', settings.keepAliveMs, 0);
  whole('maxInstances', settings.maxInstances, 1);
  whole('provisioned', provisioned, 0);
  if (startsAtOnce !== Infinity) whole('startsAtOnce', startsAtOnce, 1);
  checkTimes('coldStart', coldStart);
}

function checkService({ settings, start, cpus, machineCpus = 1 }: ServiceModel): void {
  whole('minReplicas', settings.minReplicas, 1);
  whole('maxReplicas', settings.maxReplicas, settings.minReplicas);
  if (!(cpus > 0)) throw wrongModel(`cpus must be above 0, and is ${cpus}`);
  if (!(machineCpus > 0)) throw wrongModel(`machineCpus must be above 0, and is ${machineCpus}`);
  checkTimes('start', start);
}

function checkTimes(name: string, { quantilesMs }: Times): void {
  if (quantilesMs.length === 0) throw wrongModel(`${name} must have one quantile at least`);
  let before = 0;
  for (const [i, ms] of quantilesMs.entries()) {
    if (!(ms >= before && ms < Infinity))
      throw wrongModel(`quantile ${i} of ${name} must be ${before} ms or more, and is ${ms}`);
    before = ms;
  }
}

function whole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw wrongModel(`${name} must be a whole number from ${least}, and is ${value}`);
}

function atLeast(name: string, value: number, least: number): void {
  if (!(value >= least)) throw wrongModel(`${name} must be ${least} or more, and is ${value}`);
}

function wrongModel(text: string): FulcrumError {
  return new FulcrumError('bad-request', `This model cannot be simulated: ${text}.`);
}
