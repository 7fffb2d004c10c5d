import type { InstanceView } from './snapshot.ts';

export function count(instances: readonly InstanceView[], state: InstanceView['state']): number {
  let found = 0;
  for (const one of instances) if (one.state === state) found++;
  return found;
}

export function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}
