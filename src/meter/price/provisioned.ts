import type { MinuteLoad, Used } from '../../model/used.ts';

const MINUTE_MS = 60_000;

/**
 * Erlang's B: the share of arrivals that find all of `servers` at work, where `offered` are at work on average if there is no end of servers.
 * Holds whatever the durations' distribution, for arrivals at random (Erlang 1917; Sevastyanov 1957).
 */
export function erlangB(offered: number, servers: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (offered * blocked) / (n + offered * blocked);
  return blocked;
}

/** Of `used`'s work: the share, 0 to 1, that so many instances take on that are asked before all others. */
export function shareOfProvisioned(used: Used, instances: number): number {
  const work = used.load.reduce((sum, minute) => sum + minute.workMs, 0);
  if (work > 0) return used.load.reduce((sum, minute) => sum + taken(minute, instances), 0) / work;
  const offered = used.wholeMs / Math.max(1, used.toMs - used.fromMs);
  return 1 - erlangB(offered, instances);
}

function taken(minute: MinuteLoad, instances: number): number {
  return minute.workMs * (1 - erlangB(minute.workMs / MINUTE_MS, instances));
}
