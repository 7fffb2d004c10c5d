/**
 * How many replicas a service has, and which. A pure function; see `decide.ts`.
 *
 * Where `replicas` is a range, the number follows the load, by the rule of Knative's autoscaler
 * (https://knative.dev/docs/serving/autoscaling/kpa-specific/, `pkg/autoscaler/scaling/autoscaler.go`): every 2 s it is
 * ceil(observed / target), where what is observed is the average over a stable window of 60 s and a panic window of 6 s. The
 * target is 70 % of what a replica can do: of its `concurrency`, and of the one core that a Node process has for its JavaScript;
 * whichever wants more counts, the CPU no more replicas than there are processors. Where the panic window wants twice what is ready or more, there is panic, until it has not for
 * as long as the stable window; in it the number only grows. Otherwise it at most halves in a round, and (which Knative's does not
 * see to) nothing goes that the panic window still wants.
 *
 * A worked example, `replicas: { min: 1, max: 8 }`, concurrency 100 (so a replica's target is 70), at t = 120,000 ms:
 *
 *   r_a  ordinal 0, ready          load: 40 on average in the last minute, 65 in the last 6 s
 *   r_b  ordinal 1, ready          cores: 0.3 and 0.5
 *
 * Either window wants ceil(40 / 70) = ceil(65 / 70) = 1 replica, and no more for the CPU (ceil(0.5 / 0.7) = 1). At most half of two go
 * in a round, so 1 it is: r_b, with the highest ordinal, drains for the reason `load 40 of 140: 1 replica wanted`. Had the last 6 s
 * held 300, they would want ceil(300 / 70) = 5, more than twice the two that are ready: panic. Three would start, with the
 * ordinals 2, 3 and 4, for the reason `load 300 of 140: 5 replicas wanted (panic)`, and nothing would go before t = 180,000.
 * Either way `wakeAtMs` is 122,000, the next round.
 */
import type {
  End,
  Lost,
  Observed,
  Plan,
  ReplicaView,
  ScaleMemory,
  ScaleView,
  ServiceSnapshot,
  WindowAverages,
} from './snapshot.ts';
import { freeOrdinals } from './ordinals.ts';
import { count, earliest } from './plan-parts.ts';

/** Of what a replica can do. Knative's `container-concurrency-target-percentage`. */
const TARGET = 0.7;
/** Knative's `stable-window`, its panic window of 10 % of that, and its `tick-interval`. */
export const STABLE_MS = 60_000;
export const PANIC_MS = 6_000;
export const ROUND_MS = 2_000;
/** Knative's `panic-threshold-percentage`: 200 %. */
const PANIC_AT = 2;
/** Averages of what is steady differ from it in their last digits, which must not call for one more. */
const ROUNDING = 1e-6;

/** The replicas that the settings or the load ask for, each failing one replaced before it goes. */
export function decideService(snapshot: ServiceSnapshot, nowMs: number): Plan {
  const { settings, instances, retry, scale, lost } = snapshot;
  const sound = instances.filter((one) => one.state === 'ready' && one.failing === null);
  const failing = instances.filter((one) => one.state === 'ready' && one.failing !== null);
  const present = count(instances, 'starting') + sound.length;

  const memory =
    scale === null || scale.observed === null
      ? (scale?.memory ?? null)
      : nextRound(snapshot, scale, scale.observed, present, sound.length, nowMs);
  const wanted = memory?.wanted ?? settings.minReplicas;
  const missing = Math.max(0, wanted - present);
  const backingOff = nowMs < retry.retryAtMs;
  const ordinals = freeOrdinals(instances, backingOff ? 0 : missing);

  const ends: End[] = [];
  if (sound.length >= wanted) {
    // The new one first: a failing replica goes only when enough sound ones stand ready.
    for (const one of failing) ends.push({ id: one.id, reason: one.failing! });
    if (memory === null || memory.panicUntilMs === null) {
      const reason = memory?.why ?? `more than ${wanted} replicas`;
      for (const one of expendable(sound, sound.length - wanted)) ends.push({ id: one.id, reason });
    }
  }
  return {
    starts: ordinals.map((ordinal) => startReason(snapshot, ordinal, wanted, memory)),
    ends,
    refuse: 0,
    wakeAtMs: earliest(memory?.nextRoundMs ?? null, missing > 0 && backingOff ? retry.retryAtMs : null),
    remember: {
      scale: memory,
      lost: missing === 0 ? [] : lost.filter((one) => !ordinals.includes(one.ordinal)),
    },
  };
}

/** How many replicas a number of invocations at a time wants, between a service's bounds. */
export function replicasFor(
  load: number,
  settings: Pick<ServiceSnapshot['settings'], 'concurrency' | 'minReplicas' | 'maxReplicas'>,
): number {
  return within(settings, replicasWanted(load, TARGET * settings.concurrency));
}

function nextRound(
  { settings }: ServiceSnapshot,
  { memory: before, cpus }: ScaleView,
  { load, cores }: Observed,
  present: number,
  ready: number,
  nowMs: number,
): ScaleMemory {
  const each = TARGET * settings.concurrency;
  const by = (window: keyof WindowAverages): Want => {
    const byLoad = replicasWanted(load[window], each);
    const byCores = Math.min(replicasWanted(cores[window], TARGET), Math.ceil(cpus));
    // A process that is there at all uses some of a core, which speaks for the one that is always there and for no more.
    return byCores > Math.max(1, byLoad)
      ? { replicas: byCores, text: `cpu ${tenths(cores[window])} of ${tenths(ready * TARGET)} cores` }
      : { replicas: byLoad, text: `load ${tenths(load[window])} of ${tenths(ready * each)}` };
  };
  const stable = by('stable');
  const panic = by('panic');
  const panicUntilMs =
    panic.replicas >= PANIC_AT * Math.max(1, ready)
      ? nowMs + STABLE_MS
      : before.panicUntilMs !== null && nowMs < before.panicUntilMs
        ? before.panicUntilMs
        : null;
  const nextRoundMs = nowMs + ROUND_MS;
  if (panicUntilMs !== null) {
    const most = panic.replicas > stable.replicas ? panic : stable;
    const wanted = within(settings, Math.max(most.replicas, before.wanted));
    const why = wanted > before.wanted ? `${told(most, wanted)} (panic)` : before.why;
    return { wanted, why, panicUntilMs, nextRoundMs };
  }
  const needed = Math.max(stable.replicas, Math.min(panic.replicas, present));
  const wanted = within(settings, Math.max(needed, Math.ceil(present / 2)));
  return { wanted, why: told(stable, wanted), panicUntilMs, nextRoundMs };
}

interface Want {
  readonly replicas: number;
  readonly text: string;
}

function told({ replicas, text }: Want, wanted: number): string {
  const noun = replicas === 1 ? 'replica' : 'replicas';
  const bound = replicas === wanted ? '' : `, ${wanted} for now`;
  return `${text}: ${replicas} ${noun} wanted${bound}`;
}

function replicasWanted(observed: number, target: number): number {
  return Math.ceil(observed / target - ROUNDING);
}

function within(
  { minReplicas, maxReplicas }: { readonly minReplicas: number; readonly maxReplicas: number },
  wanted: number,
): number {
  return Math.min(Math.max(wanted, minReplicas), maxReplicas);
}

function tenths(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Of what is too much: first those that are given no work anyway, then the highest ordinals, whose clients were the last to come. */
function expendable(sound: readonly ReplicaView[], many: number): readonly ReplicaView[] {
  return [...sound]
    .sort((a, b) => Number(b.ejected) - Number(a.ejected) || b.ordinal - a.ordinal)
    .slice(0, many);
}

function startReason(
  { settings, instances, lost }: ServiceSnapshot,
  ordinal: number,
  wanted: number,
  memory: ScaleMemory | null,
): string {
  const gone: Lost | undefined = lost.find((one) => one.ordinal === ordinal);
  if (gone !== undefined) return `replaces ${gone.id} (${gone.reason})`;
  const ill = instances.find(
    (one) => one.state === 'ready' && one.failing !== null && one.ordinal === ordinal,
  );
  if (ill !== undefined) return `replaces ${ill.id} (${ill.failing})`;
  if (ordinal >= settings.minReplicas && memory !== null && memory.why !== null) return memory.why;
  return `replica ${ordinal + 1} of ${wanted}`;
}
