import type { End, InstanceView, Plan, ServiceSnapshot } from './decide.ts';
import { count } from './plan-parts.ts';

/** See `decide.ts`: the replicas that the settings ask for, each failing one replaced before it goes. */
export function decideService(snapshot: ServiceSnapshot, nowMs: number): Plan {
  const { settings, instances, retry } = snapshot;
  const starting = count(instances, 'starting');
  const sound = instances.filter((one) => one.state === 'ready' && one.failing === null);
  const failing = instances.filter((one) => one.state === 'ready' && one.failing !== null);

  const present = starting + sound.length;
  const missing = Math.max(0, settings.minReplicas - present);
  const backingOff = nowMs < retry.retryAtMs;
  const starts = missing === 0 || backingOff ? [] : startReasons(snapshot, failing, present, missing);

  // The new one first: a failing replica goes only when enough sound ones stand ready.
  const ends: End[] = [];
  if (sound.length >= settings.minReplicas) {
    for (const one of failing) ends.push({ id: one.id, reason: one.failing! });
    for (const one of sound.slice(0, sound.length - settings.minReplicas)) {
      ends.push({ id: one.id, reason: `more than ${settings.minReplicas} replicas` });
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
    (_, i) => replaced[i] ?? `replica ${present + i + 1} of ${settings.minReplicas}`,
  );
}
