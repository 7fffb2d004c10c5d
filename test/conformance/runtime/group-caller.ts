import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { systemClock } from '../../../src/base/clock.ts';
import { NO_CALLER, type Caller, type CallRecord } from '../../../src/model/calls.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { Invocation, InvocationContext, InvocationResult } from '../../../src/model/invocation.ts';
import type { ModuleRevision } from '../../../src/model/revision.ts';
import type { Slot } from '../../../src/model/slot.ts';
import { createCaller } from '../../../src/scaling/caller.ts';
import { InvocationDispatcher, type DispatchSlots } from '../../../src/scaling/dispatcher.ts';
import { fixturePath, type Ends } from './bench.ts';

/** The modules of `fixtures/group`, each as a bundle of its own, as the build makes them. By name. */
export async function bundleMembers(ends: Ends, names: readonly string[]): Promise<Record<string, string>> {
  // Where the engines that have sandboxes let them read, as whom ever.
  const folder = await mkdtemp(fixturePath('group/built-'));
  await chmod(folder, 0o755);
  ends.after(() => rm(folder, { recursive: true }));
  const paths: Record<string, string> = {};
  for (const name of names) {
    const file = (paths[name] = join(folder, name, 'index.mjs'));
    await using build = await rolldown({
      input: fixturePath(`group/${name}.ts`),
      platform: 'node',
      logLevel: 'silent',
    });
    await build.write({ file, format: 'es', sourcemap: true });
  }
  return paths;
}

export interface Called {
  readonly from: string;
  readonly to: string;
  readonly function: string;
  readonly parent: InvocationContext;
}

/** The server between instances: calls as they are made there, to instances that are always free. */
export class GroupCaller implements Caller {
  readonly calls: Called[] = [];
  readonly records: CallRecord[] = [];
  readonly fetch = NO_CALLER.fetch;
  readonly #instances = new Map<string, Instance>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #caller: Caller;

  constructor(revisions: readonly ModuleRevision[]) {
    const specs = new Map(revisions.map(({ spec }) => [spec.name, spec]));
    const slots: DispatchSlots = {
      timeoutMs: (component) => specs.get(component)!.function.timeoutMs,
      take: (component) => freeSlot(this.#instances.get(component)!),
      present: () => null,
      retryAfterS: () => 1,
    };
    this.#caller = createCaller({
      dispatcher: new InvocationDispatcher({ slots, usage: { record: () => undefined }, clock: systemClock }),
      sink: { record: (call) => this.records.push(call) },
      clock: systemClock,
      random: Math.random,
      components: () => this.#instances.keys(),
      callsOf: (component) => specs.get(component)?.calls ?? null,
    });
  }

  /** What stands for `component` from now on. */
  put(component: string, instance: Instance): void {
    this.#instances.set(component, instance);
  }

  async call(
    from: string,
    to: string,
    invocation: Invocation,
    parent: InvocationContext,
  ): Promise<InvocationResult> {
    this.calls.push({ from, to, function: invocation.kind === 'call' ? invocation.function : '', parent });
    const running = this.#caller.call(from, to, invocation, parent);
    this.#running.add(running);
    return await running.finally(() => this.#running.delete(running));
  }

  /** All calls are over, of those also that have given something to a caller which forgot it. */
  async whenOver(): Promise<void> {
    await Promise.all(this.#running);
  }
}

function freeSlot(instance: Instance): Slot {
  const told = { answered: () => undefined, release: () => undefined };
  return { instance, mode: 'function', cold: false, waitedMs: 0, startMs: 0, ...told };
}
