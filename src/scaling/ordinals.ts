import type { ReplicaView } from './snapshot.ts';

/**
 * The places that `count` new replicas take: the lowest that no sound one has. So one that replaces another has its place,
 * and clients that keep to a place (see `choose-replica.ts`) keep to it through a replacement, a deploy and a scale-up.
 */
export function freeOrdinals(replicas: readonly ReplicaView[], count: number): number[] {
  const taken = new Set<number>();
  for (const one of replicas) {
    if (one.state === 'starting' || (one.state === 'ready' && one.failing === null)) taken.add(one.ordinal);
  }
  const free: number[] = [];
  for (let ordinal = 0; free.length < count; ordinal++) if (!taken.has(ordinal)) free.push(ordinal);
  return free;
}
