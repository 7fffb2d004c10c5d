import type { FunctionModel, MinuteTraffic, ServiceModel } from '../../model/simulation.ts';
import { DurationTable } from './duration-table.ts';
import { erlangC } from './erlang.ts';

const MINUTE_MS = 60_000;
/** With fewer in a minute their exact number says more than a rate does. */
const LEAST_A_MINUTE = 30;
/** Where instances go soon after their work, what they are used for next depends on what they did before. */
const LEAST_KEEP_ALIVE_OF_DURATION = 50;
/** A start that takes long beside the keep-alive makes more start meanwhile. */
const LEAST_KEEP_ALIVE_OF_START = 20;
/** Fewer at a time do not waver evenly around their mean, which an autoscaler sees. */
const LEAST_IN_FLIGHT = 20;
/** How much longer all takes, for want of processors. */
const MOST_HELD_UP = 0.02;
/** So many spreads above its mean a load stays below its bound. */
const SPREADS = 6;

/**
 * Why minutes cannot stand for invocations here; null where they can, with what is billed and how long instances live within 1 % of the
 * mean of replays (one of them may itself be further from that, by chance). The numbers come from comparing both; see the tests. That
 * arrivals come by chance within their minutes is taken for granted: bursts of seconds and clockwork are not seen.
 */
export function fluidObstacle(traffic: MinuteTraffic, model: FunctionModel | ServiceModel): string | null {
  const { invocations, duration, cpuShare } = traffic;
  const { meanMs } = new DurationTable(duration);
  const [first, last] = [duration.quantilesMs[0]!, duration.quantilesMs.at(-1)!];
  let [total, used, most] = [0, 0, 0];
  for (let minute = 0; minute < invocations.length; minute++) {
    const count = invocations[minute]!;
    total += count;
    if (count > 0) used++;
    most = Math.max(most, count);
  }
  if (used === 0 || total / used < LEAST_A_MINUTE)
    return `fewer than ${LEAST_A_MINUTE} invocations in a minute that has any`;
  if (last <= 0 || first < 0) return 'durations of 0 ms';
  if (last > model.settings.timeoutMs) return 'durations beyond the timeout';
  const busiest = (most / MINUTE_MS) * meanMs;
  const room = (instances: number): boolean =>
    busiest + SPREADS * Math.sqrt(busiest) + SPREADS < instances * model.settings.concurrency;
  if (model.mode === 'function') {
    const { settings, coldStart } = model;
    if (settings.keepAlive === 'adaptive') return 'an adaptive keep-alive';
    if (settings.fresh) return 'a new instance for every invocation';
    if (model.startsAtOnce !== undefined && model.startsAtOnce < SPREADS) return 'few starts at a time';
    if (!room(settings.maxInstances)) return 'a load that comes near the most instances';
    if (settings.keepAliveMs < LEAST_KEEP_ALIVE_OF_DURATION * meanMs)
      return `a keep-alive of less than ${LEAST_KEEP_ALIVE_OF_DURATION} mean durations`;
    if (settings.keepAliveMs < LEAST_KEEP_ALIVE_OF_START * coldStart.quantilesMs.at(-1)!)
      return `a keep-alive of less than ${LEAST_KEEP_ALIVE_OF_START} starts`;
    return null;
  }
  const { settings, cpus } = model;
  if (!room(settings.maxReplicas)) return 'a load that comes near what all replicas hold';
  const isFixed = settings.minReplicas === settings.maxReplicas;
  if (!isFixed && (total / used / MINUTE_MS) * meanMs < LEAST_IN_FLIGHT)
    return `fewer than ${LEAST_IN_FLIGHT} in flight on average`;
  // The autoscaler keeps at least so many: 70 % of what each may have in flight.
  const replicas = isFixed
    ? settings.minReplicas
    : Math.max(settings.minReplicas, Math.ceil(busiest / (0.7 * settings.concurrency)));
  const each = (busiest * cpuShare) / replicas;
  const whole = Math.max(1, Math.floor(cpus));
  if (each >= whole || (cpuShare * erlangC(whole, each)) / (whole - each) > MOST_HELD_UP)
    return 'handlers that hold each other up for want of processors';
  return null;
}
