import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { ForkRuntime, type ForkRuntimeOptions } from '../../../src/runtime/fork/fork-runtime.ts';
import { createSpawnRuntime } from '../../../src/runtime/spawn/spawn-runtime.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { Bench, call, json, valueOf, type CreateRuntime, type Ends } from '../runtime/bench.ts';

/** A fork engine for a test, with the plain engine behind it. */
function forkRuntime(more: Partial<ForkRuntimeOptions> = {}): CreateRuntime {
  return async (parts) =>
    new ForkRuntime({
      ...parts,
      waitsForRoots: () => true,
      ...more,
      fallback: await createSpawnRuntime(parts),
    });
}

export function openForks(
  ends: Ends,
  more: Partial<ForkRuntimeOptions> = {},
  clock: Clock = systemClock,
): Promise<Bench> {
  return Bench.open(ends, forkRuntime(more), { clock });
}

/** Calls a named function of the instance's module. */
export async function told<T = unknown>(instance: Instance, name: string, ...args: unknown[]): Promise<T> {
  return valueOf(await call(instance, name, json(args))) as T;
}

export async function ended(instance: Instance): Promise<void> {
  await instance.stop(10_000, 'told by the test');
}
