import type { End, FunctionSnapshot, Plan } from './decide.ts';
import { count, earliest } from './plan-parts.ts';

/** See `decide.ts`: as many as wait, and less only as keep-alives pass. */
export function decideFunction(snapshot: FunctionSnapshot, nowMs: number): Plan {
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
