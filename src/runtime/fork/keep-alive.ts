/** Which zygotes without instances are to end. */
import { isPressed, type MachineMemory } from '../../base/machine-memory.ts';

export interface IdleZygote {
  readonly key: string;
  readonly idleMs: number;
  readonly keepAliveMs: number;
}

/** So many of those that are idle end at each look, until it is no longer. */
const PART = 0.25;

/** The keys of those that end: their keep-alive has passed, or, under pressure, they have been idle longest. */
export function zygotesToEnd(idle: readonly IdleZygote[], memory: MachineMemory): string[] {
  const kept = idle.filter(({ idleMs, keepAliveMs }) => idleMs < keepAliveMs);
  const ending = idle.filter((zygote) => !kept.includes(zygote));
  if (isPressed(memory)) {
    const longest = kept.toSorted((a, b) => b.idleMs - a.idleMs);
    ending.push(...longest.slice(0, Math.ceil(idle.length * PART)));
  }
  return ending.map(({ key }) => key);
}
