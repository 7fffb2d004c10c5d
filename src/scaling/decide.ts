/**
 * Which instances should exist: a pure function of what is there and what time it is. Everything that starts or ends an
 * instance because of load, idleness or health is decided here and nowhere else, with a reason a person can read.
 *
 * A worked example, a function with concurrency 2, at most 10 instances and a keep-alive of 1 s, at t = 5,000 ms:
 *
 *   queued 5
 *   i_a  starting                         will take 2 of the 5
 *   i_b  ready, 2 in flight               full
 *   i_c  ready, idle since 3,900          its keep-alive passed at 4,900
 *
 * i_a covers two waiters, three are uncovered, so ceil(3 / 2) = 2 starts with the reason `queue 5`; seven more would be
 * allowed. i_c ends with the reason `keep-alive passed`. (In practice a waiter would have been given i_c before.)
 * Nothing else falls due, so `wakeAtMs` is null. The same at t = 4,500 would leave i_c alone and say `wakeAtMs: 4,900`.
 */
import type { FunctionSettings, ServiceSettings } from '../model/app.ts';

/** What is decided upon: one component's instances in one mode. Times are monotonic. */
export type Snapshot = FunctionSnapshot | ServiceSnapshot;

interface Common {
  /** Invocations that wait. */
  readonly queued: number;
  /** Everything whose process is not known to be gone, the oldest first. */
  readonly instances: readonly InstanceView[];
  readonly retry: RetryView;
}

export interface FunctionSnapshot extends Common {
  readonly mode: 'function';
  readonly settings: FunctionSettings;
  /** Instances that should be there whatever waits: a mode switch warms them up. */
  readonly warm: number;
  /** How many may be starting at the same time: more than the machine can bring up only makes all of them late. */
  readonly startsAtOnce: number;
}

export interface ServiceSnapshot extends Common {
  readonly mode: 'service';
  readonly settings: ServiceSettings;
  /** Replicas that were lost and not yet replaced, for the reasons. */
  readonly lost: readonly Lost[];
}

export interface InstanceView {
  readonly id: string;
  readonly state: 'starting' | 'ready' | 'draining' | 'ending' | 'ended';
  readonly inFlight: number;
  readonly served: number;
  /** Since when it has had nothing to do; means something only where `inFlight` is 0. */
  readonly idleSinceMs: number;
  /** Why it should be replaced: it missed its health checks. */
  readonly failing: string | null;
}

interface RetryView {
  /** Failed starts or deaths since the last success. */
  readonly failures: number;
  readonly retryAtMs: number;
}

export interface Lost {
  readonly id: string;
  readonly reason: string;
}

export interface Plan {
  /** One reason for each instance to be started. */
  readonly starts: readonly string[];
  readonly ends: readonly End[];
  /** How many of the waiting, the newest first, have nothing to wait for. */
  readonly refuse: number;
  /** When to decide again even if nothing happens until then. */
  readonly wakeAtMs: number | null;
}

interface End {
  readonly id: string;
  readonly reason: string;
}

export function decide(snapshot: Snapshot, nowMs: number): Plan {
  return snapshot.mode === 'function' ? decideFunction(snapshot, nowMs) : decideService(snapshot, nowMs);
}

function decideFunction(snapshot: FunctionSnapshot, nowMs: number): Plan {
  const { settings, queued, instances, retry, warm, startsAtOnce } = snapshot;
  const starting = count(instances, 'starting');
  const ready = count(instances, 'ready');
  const each = settings.fresh ? 1 : settings.concurrency;

  const uncovered = Math.max(0, queued - starting * each);
  const wanted = Math.max(Math.ceil(uncovered / each), warm - starting - ready, 0);
  const backingOff = nowMs < retry.retryAtMs;
  // A probe alone after a failed start: a broken revision must not be started once for each that waits.
  const atOnce = retry.failures > 0 ? 1 : startsAtOnce;
  const allowed = Math.max(0, Math.min(settings.maxInstances - instances.length, atOnce - starting));
  const starts = backingOff ? 0 : Math.min(wanted, allowed);
  // A ready instance, busy or not, will come to those who wait; a fresh one never will.
  const hopeless = backingOff && (settings.fresh || ready === 0);

  const { ends, nextExpiryMs } = idleEnds(snapshot, ready, nowMs);
  const retryMs = backingOff && uncovered > 0 && !hopeless ? retry.retryAtMs : null;
  return {
    starts: Array.from({ length: starts }, (_, i) =>
      queued > 0 ? `queue ${queued}` : `warm ${starting + ready + i + 1} of ${warm}`,
    ),
    ends,
    refuse: hopeless ? uncovered : 0,
    wakeAtMs: earliest(nextExpiryMs, retryMs),
  };
}

/** Idle instances past their keep-alive, and fresh ones that have done their one invocation; the oldest first. */
function idleEnds(
  { settings, instances, warm }: FunctionSnapshot,
  ready: number,
  nowMs: number,
): { ends: End[]; nextExpiryMs: number | null } {
  const ends: End[] = [];
  let spare = ready - warm;
  let nextExpiryMs: number | null = null;
  for (const one of instances) {
    if (one.state !== 'ready' || one.inFlight > 0) continue;
    const expiryMs = one.idleSinceMs + settings.keepAliveMs;
    if (settings.fresh && one.served > 0) {
      ends.push({ id: one.id, reason: 'fresh: it has done its one invocation' });
    } else if (nowMs < expiryMs) {
      nextExpiryMs = earliest(nextExpiryMs, expiryMs);
    } else if (spare > 0) {
      spare--;
      ends.push({ id: one.id, reason: 'keep-alive passed' });
    }
  }
  return { ends, nextExpiryMs };
}

function decideService(snapshot: ServiceSnapshot, nowMs: number): Plan {
  const { settings, instances, retry } = snapshot;
  const starting = count(instances, 'starting');
  const sound = instances.filter((one) => one.state === 'ready' && one.failing === null);
  const failing = instances.filter((one) => one.state === 'ready' && one.failing !== null);

  const present = starting + sound.length;
  const missing = Math.max(0, settings.replicas - present);
  const backingOff = nowMs < retry.retryAtMs;
  const starts = missing === 0 || backingOff ? [] : startReasons(snapshot, failing, present, missing);

  // The new one first: a failing replica goes only when enough sound ones stand ready.
  const ends: End[] = [];
  if (sound.length >= settings.replicas) {
    for (const one of failing) ends.push({ id: one.id, reason: one.failing! });
    for (const one of sound.slice(0, sound.length - settings.replicas)) {
      ends.push({ id: one.id, reason: `more than ${settings.replicas} replicas` });
    }
  }
  return { starts, ends, refuse: 0, wakeAtMs: missing > 0 && backingOff ? retry.retryAtMs : null };
}

function startReasons(
  { settings, lost }: ServiceSnapshot,
  failing: readonly InstanceView[],
  present: number,
  missing: number,
): string[] {
  const replaced = [
    ...lost.map(({ id, reason }) => `replaces ${id} (${reason})`),
    ...failing.map(({ id, failing }) => `replaces ${id} (${failing})`),
  ];
  return Array.from(
    { length: missing },
    (_, i) => replaced[i] ?? `replica ${present + i + 1} of ${settings.replicas}`,
  );
}

function count(instances: readonly InstanceView[], state: InstanceView['state']): number {
  let found = 0;
  for (const one of instances) if (one.state === state) found++;
  return found;
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}
