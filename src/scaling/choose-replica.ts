import type { Standing } from './standing.ts';

/** A replica as far as its being chosen goes. */
export interface Choosable {
  readonly state: 'starting' | 'ready' | 'draining' | 'ending' | 'ended';
  readonly inFlight: number;
  readonly failing: string | null;
  readonly ordinal: number;
  readonly standing: Pick<Standing, 'state'>;
  hasRoom(concurrency: number): boolean;
}

/**
 * Who of a service's replicas gets the next invocation: the one with the least to do; with an affinity key, the first in that key's own
 * order of them (rendezvous hashing, of Thaler and Ravishankar's "Using name-based mappings to increase hit rates", 1998: each key ranks all
 * ordinals by a hash of both). One more replica is then first for about 1/(n+1) of the keys and changes nothing for the others; one fewer
 * hands its keys to all that are left. One that is full, ejected, failing or gone is passed over for the next in the order, so that
 * nobody waits while another is free.
 *
 * One whose ejection is over comes first, for the one invocation that it is tried with. Those that fail their health checks or are
 * ejected are the last resort, where no sound one is there or starts. Null: nobody is free.
 */
export function chooseReplica<T extends Choosable>(
  replicas: readonly T[],
  concurrency: number,
  key: string | null,
): T | null {
  const hash = key === null ? 0 : hashOf(key);
  let best: T | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  let lastResort: T | null = null;
  let others = false;
  for (const one of replicas) {
    const { state } = one.standing;
    const usable = one.failing === null && (state === 'in' || state === 'due');
    if (one.state === 'starting' || (one.state === 'ready' && usable)) others = true;
    if (!one.hasRoom(concurrency)) continue;
    if (!usable) {
      if (lastResort === null || (lastResort.failing !== null && one.failing === null)) lastResort = one;
      continue;
    }
    let rank = one.inFlight;
    if (key !== null) rank = -mixed(hash, one.ordinal);
    else if (state === 'due') rank = -1;
    if (rank >= bestRank) continue;
    best = one;
    bestRank = rank;
  }
  return best ?? (others ? null : lastResort);
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Both together, spread over 32 bits: the finaliser of MurmurHash3, without which neighbouring ordinals would rank alike. */
function mixed(hash: number, ordinal: number): number {
  let h = hash ^ Math.imul(ordinal + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
