/**
 * A function's instances: as many as wait, and fewer only as keep-alives pass. A start is made for invocations that nothing
 * covers: so many are started or starting as there are invocations in flight or queued, however often this is asked. A
 * burst of 10 at concurrency 1, where three may be starting at the same time and each invocation takes a while:
 *
 *   queued 10   starting 0   →  3 starts `queue 10`
 *   queued 10   starting 3   →  none: no more at the same time
 *   queued  8   starting 1   →  2 starts: two have become ready, and each has taken one of the ten
 *   queued  1   starting 1   →  none: the one that starts covers it
 *
 * It ends with 10 instances, or with fewer, where some had finished and taken another of the ten before its start came.
 *
 * With an adaptive keep-alive, and a habit that tells something, here a verdict of 13.5 min and 66 min with nothing in
 * flight since t = 0, the newest instance follows it and all others the fixed keep-alive:
 *
 *   t = 0                 the last invocation is over: it ends, `no use expected for 13.5 min`, and its zygote with it; so do
 *                         the others that are idle, for nobody will need them either
 *   t = 13.5 min          one starts, `pre-warmed: next use expected 13.5 to 66 min after the last`
 *                         (and is looked for again every 15 s, in case that the machine had no room for it just then)
 *   t = 66 min            still nothing came: it ends, `adaptive keep-alive of 66 min passed`
 *
 * With a verdict of 0 and 66 min it stays until t = 66 min.
 */
import { formatDuration } from '../base/duration.ts';
import type { WaitingWork } from '../model/work-window.ts';
import type { End, FunctionSnapshot, HabitView, InstanceView, Plan } from './snapshot.ts';
import { count, earliest } from './plan-parts.ts';

/** How soon a pre-warmed start is tried again that the machine had no room for: nobody is asked to make room for it, or says that there is some. */
const PREWARM_AGAIN_MS = 15_000;

/** See above and `decide.ts`. */
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
  // A ready instance, busy or not, will come to those who wait; a fresh one never will. What the machine has no room for now, it will.
  const hopeless = backingOff && retry.latest === 'revision' && (settings.fresh || ready === 0);

  const { ends, nextExpiryMs } = idleEnds(snapshot, ready, nowMs);
  const retryMs = backingOff && uncovered > 0 && !hopeless ? retry.retryAtMs : null;
  const plan: Plan = {
    starts: Array.from({ length: starts }, (_, i) =>
      queued > 0
        ? `queue ${queued}${backlogText(snapshot.kept)}`
        : `warm ${starting + ready + i + 1} of ${warm}`,
    ),
    ends,
    refuse: hopeless ? uncovered : 0,
    wakeAtMs: earliest(nextExpiryMs, retryMs),
  };
  const left = ready - ends.length;
  return queued + wanted + starting + left > 0 || allowed === 0 ? plan : withPrewarm(plan, snapshot, nowMs);
}

/** Behind `queue 3`, where what waits there is of a backlog. */
function backlogText(kept: WaitingWork | null | undefined): string {
  if (!kept || kept.waiting === 0) return '';
  return `, with a backlog of ${kept.waiting} for ${formatDuration(kept.oldestMs)}`;
}

/** Where nothing is there and nothing waits: an instance for the next use, if that is near, or a look when it is. */
function withPrewarm(plan: Plan, { habit, retry }: FunctionSnapshot, nowMs: number): Plan {
  if (habit === null || habit.idleSinceMs === null || habit.prewarmAfterMs === 0) return plan;
  // One at a time of idleness: what was ended to make room would come back at once. None of what does not start: nobody waits for it.
  if (habit.prewarmed || retry.failures > 0) return plan;
  const dueMs = habit.idleSinceMs + habit.prewarmAfterMs;
  if (nowMs < dueMs) return { ...plan, wakeAtMs: earliest(plan.wakeAtMs, dueMs) };
  if (nowMs >= habit.idleSinceMs + habit.keepMs) return plan;
  const wakeAtMs = earliest(plan.wakeAtMs, nowMs + PREWARM_AGAIN_MS);
  const when = `${minutes(habit.prewarmAfterMs)} to ${minutes(habit.keepMs)} min after the last`;
  return { ...plan, wakeAtMs, starts: [`pre-warmed: next use expected ${when}`], prewarms: true };
}

/** Idle instances past their keep-alive, and fresh ones that have done their one invocation; the oldest first. */
function idleEnds(
  { settings, instances, warm, habit }: FunctionSnapshot,
  ready: number,
  nowMs: number,
): { ends: End[]; nextExpiryMs: number | null } {
  const ends: End[] = [];
  const last = habit === null ? null : lastOfAll(instances);
  let spare = ready - warm;
  let nextExpiryMs: number | null = null;
  for (const one of instances) {
    if (one.state !== 'ready' || one.inFlight > 0) continue;
    const fixed = {
      atMs: one.idleSinceMs + settings.keepAliveMs,
      end: { id: one.id, reason: 'keep-alive passed' },
    };
    const habitual = last === null ? fixed : habitualEnd(one, habit!, settings.keepAliveMs, nowMs);
    // Once the newest has ended, the next would be the newest: what would end then ends now.
    const { atMs, end } = one === last || habitual.atMs < fixed.atMs ? habitual : fixed;
    if (settings.fresh && one.served > 0) {
      ends.push({ id: one.id, reason: 'fresh: it has done its one invocation' });
    } else if (nowMs < atMs) {
      nextExpiryMs = earliest(nextExpiryMs, atMs);
    } else if (spare > 0) {
      spare--;
      ends.push(end);
    }
  }
  return { ends, nextExpiryMs };
}

/**
 * The one that the habit decides on: where nothing is in flight, the newest, which is used first. What the habit knows is when
 * anything comes, not how much at a time; that is for the fixed keep-alive of the others.
 */
function lastOfAll(instances: readonly InstanceView[]): InstanceView | null {
  if (instances.some(({ inFlight }) => inFlight > 0)) return null;
  return instances.findLast(({ state }) => state === 'ready') ?? null;
}

/** When it ends by the habit, and with what reason. */
function habitualEnd(
  one: InstanceView,
  { idleSinceMs, prewarmAfterMs, keepMs }: HabitView,
  keepAliveMs: number,
  nowMs: number,
): { atMs: number; end: End } {
  // Where another release has something in flight, the habit's idle time has not begun.
  const sinceMs = idleSinceMs ?? nowMs;
  // Nobody has used it yet: a deploy has tried it, or whoever it was started for has left.
  const unusedMs = one.served > 0 ? Number.NEGATIVE_INFINITY : one.idleSinceMs + keepAliveMs;
  const dueMs = sinceMs + prewarmAfterMs;
  if (nowMs < dueMs && unusedMs < dueMs) {
    const reason = `no use expected for ${minutes(prewarmAfterMs)} min`;
    return { atMs: Math.max(one.idleSinceMs, unusedMs), end: { id: one.id, reason, withZygote: true } };
  }
  const reason = `adaptive keep-alive of ${minutes(keepMs)} min passed`;
  return { atMs: Math.max(sinceMs + keepMs, unusedMs), end: { id: one.id, reason, withZygote: true } };
}

function minutes(ms: number): string {
  return String(Number((ms / 60_000).toFixed(1)));
}
