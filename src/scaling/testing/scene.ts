import { NO_PUBLISHER } from '../../model/event.ts';
import { DEFAULT_ASYNC } from '../../model/work-settings.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger } from '../../base/log.ts';
import { NO_CALLER, NO_CALL_SINK } from '../../model/calls.ts';
import {
  NO_LIMITS,
  type FunctionSettings,
  type Limits,
  type ModeSetting,
  type ServiceSettings,
} from '../../model/app.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import type { LogEntry } from '../../model/log.ts';
import type { GroupRevision, ModuleRevision, Revision } from '../../model/revision.ts';
import type { SlotRequest } from '../../model/slot.ts';
import type { UsageRecord } from '../../model/usage.ts';
import type { MachineMemory } from '../../base/machine-memory.ts';
import { InvocationDispatcher } from '../dispatcher.ts';
import type { PastArrival } from '../habit.ts';
import { Habits } from '../habits.ts';
import type { InstanceTelling } from '../instance-watch.ts';
import { AppLimits } from '../limits/app-limits.ts';
import { MachineBudget } from '../machine-budget.ts';
import { Scaler } from '../scaler.ts';
import { type FakeInstance, FakeRuntime } from './fake-runtime.ts';

export interface RevisionOptions {
  readonly mode?: ModeSetting;
  readonly id?: string;
  readonly envDigest?: string;
  readonly function?: Partial<FunctionSettings>;
  readonly service?: Partial<ServiceSettings>;
  readonly limits?: Partial<Limits>;
  readonly weight?: number;
}

export function revision(name: string, o: RevisionOptions = {}): ModuleRevision {
  return {
    kind: 'module',
    id: o.id ?? 'aaaaaaaaaaaa',
    env: {},
    envDigest: o.envDigest ?? 'env',
    bundle: { path: '/b.mjs', filesRoot: '/', digest: '', sizeBytes: 1, sources: [] },
    spec: {
      name,
      kind: 'module',
      entry: '/e.ts',
      routes: [],
      cors: null,
      calls: null,
      subscription: null,
      async: DEFAULT_ASYNC,
      schedules: [],
      zygoteKeepAliveMs: 600_000,
      env: {},
      storage: [],
      isolation: 'best-effort',
      network: 'full',
      limits: { ...NO_LIMITS, ...o.limits },
      weight: o.weight ?? 1,
      objective: null,
      modeSetting: o.mode ?? 'function',
      function: {
        concurrency: 1,
        memoryBytes: 128,
        timeoutMs: 30_000,
        maxQueued: 1_000,
        keepAliveMs: 1_000,
        keepAlive: 'fixed',
        fresh: false,
        maxInstances: 100,
        ...o.function,
      },
      service: {
        concurrency: 100,
        memoryBytes: 256,
        timeoutMs: 30_000,
        maxQueued: 1_000,
        minReplicas: 1,
        maxReplicas: 1,
        affinity: null,
        healthIntervalMs: 10_000,
        drainMs: 30_000,
        ...o.service,
      },
    },
  };
}

export interface GroupOptions {
  readonly id?: string;
  readonly mode?: ModeSetting;
  readonly function?: Partial<FunctionSettings>;
  readonly service?: Partial<ServiceSettings>;
}

/** A group of modules, with the memory of all and the timeout of the slowest; all else is as its first member says it. */
export function group(name: string, members: readonly ModuleRevision[], o: GroupOptions = {}): GroupRevision {
  const specs = members.map(({ spec }) => spec);
  const [first] = specs;
  const sum = (mode: 'function' | 'service'): { memoryBytes: number; timeoutMs: number } => ({
    memoryBytes: specs.reduce((bytes, spec) => bytes + spec[mode].memoryBytes, 0),
    timeoutMs: Math.max(...specs.map((spec) => spec[mode].timeoutMs)),
  });
  const { modeSetting, env, storage, isolation, network, weight, objective, zygoteKeepAliveMs } = first!;
  return {
    kind: 'group',
    id:
      o.id ??
      members
        .map(({ id }) => id[0])
        .join('')
        .padEnd(12, 'g'),
    env: {},
    envDigest: members.map(({ envDigest }) => envDigest).join(),
    members,
    spec: {
      kind: 'group',
      name,
      members: specs,
      ...{ env, storage, isolation, network, weight, objective, zygoteKeepAliveMs },
      modeSetting: o.mode ?? modeSetting,
      function: { ...first!.function, ...sum('function'), ...o.function },
      service: { ...first!.service, ...sum('service'), ...o.service },
    },
  };
}

export function revisions(...all: readonly Revision[]): Map<string, Revision> {
  return new Map(all.map((one) => [one.spec.name, one]));
}

export interface SceneBudget {
  readonly memoryBytes: number;
  readonly cpus?: number;
}

/** A scaler and a dispatcher over a fake runtime and a fake clock. */
export class Scene {
  readonly clock = new FakeClock();
  /** What the machine has, and whether its processors are used up, as its budget sees it. */
  memory: MachineMemory = { availableBytes: 1, totalBytes: 1 };
  cpuUsedUp = false;
  /** Called when the budget looks at the processors, and before a line of the log is written. */
  onCpuLook: () => void = () => undefined;
  onLog: (text: string) => void = () => undefined;
  /** Faults of ours that the budget caught. */
  readonly faults: unknown[] = [];
  readonly budget: MachineBudget | null;
  readonly runtime = new FakeRuntime(this.clock);
  readonly log: LogEntry[] = [];
  readonly usage: UsageRecord[] = [];
  /** What a component's usage before the server began was. */
  readonly past = new Map<string, PastArrival[]>();
  readonly habits = new Habits({
    clock: this.clock,
    logger: silentLogger,
    past: async (components) => {
      const all = await Promise.all(components.map(async (component) => this.past.get(component) ?? []));
      return all.flat().toSorted((a, b) => a.arrivedAtMs - b.arrivedAtMs);
    },
  });
  /** Those of a revision hold once they are configured. */
  readonly limits = new AppLimits(this.clock);
  readonly scaler: Scaler;
  readonly dispatcher: InvocationDispatcher;
  #requests = 0;

  /** @param budget absent: no bound. */
  constructor(budget: SceneBudget | null = null) {
    this.budget =
      budget === null
        ? null
        : new MachineBudget({
            cpus: 100,
            ...budget,
            clock: this.clock,
            memory: () => this.memory,
            cpuUsedUp: () => {
              this.onCpuLook();
              return this.cpuUsedUp;
            },
            fault: (error) => void this.faults.push(error),
          });
    this.scaler = this.newScaler();
    this.dispatcher = this.dispatcherOf(this.scaler);
  }

  dispatcherOf(scaler: Scaler): InvocationDispatcher {
    return new InvocationDispatcher({
      slots: scaler,
      clock: this.clock,
      usage: { record: (record) => void this.usage.push(record) },
    });
  }

  /** Another scaler: of the same app, another release. */
  newScaler(app = 'shop', lives: InstanceTelling | null = null): Scaler {
    return new Scaler({
      runtimeFor: () => this.runtime,
      clock: this.clock,
      logger: silentLogger,
      home: {
        caller: NO_CALLER,
        calls: NO_CALL_SINK,
        components: () => [],
        publisher: NO_PUBLISHER,
        log: { write: (entry) => this.#write(entry) },
        env: {},
      },
      startsAtOnce: 32,
      habits: this.habits,
      limits: this.limits,
      ...(lives === null ? {} : { lives }),
      ...(this.budget === null ? {} : { budget: { machine: this.budget, app } }),
    });
  }

  #write(entry: LogEntry): void {
    this.onLog(entry.text);
    this.log.push(entry);
  }

  static async of(...all: readonly Revision[]): Promise<Scene> {
    return await Scene.within(null, ...all);
  }

  static async within(budget: SceneBudget | null, ...all: readonly Revision[]): Promise<Scene> {
    const scene = new Scene(budget);
    await scene.meanwhile(scene.scaler.deploy(revisions(...all)));
    return scene;
  }

  /** Moves time on until `promise` is settled. */
  async meanwhile<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let settled = false;
    const done = (): void => void (settled = true);
    promise.then(done, done);
    await this.clock.advance(0);
    for (let ms = 0; !settled && ms < limitMs; ms += 1) await this.clock.advance(1);
    if (!settled) throw new Error(`not settled after ${limitMs} ms`);
    return await promise;
  }

  /** Lets what has just been done take effect, then moves time on. */
  async pass(byMs: number): Promise<void> {
    await this.clock.advance(0);
    await this.clock.advance(byMs);
  }

  /** One invocation whose handler takes `takesMs`. */
  send(
    component: string,
    takesMs?: number,
    seed: Partial<Seed> = {},
    dispatcher = this.dispatcher,
  ): Promise<InvocationEnd> {
    const requestId = `r_${++this.#requests}`;
    return dispatcher.run(
      component,
      {
        requestId,
        traceparent: '',
        trigger: 'route',
        signal: null,
        deadlineMs: null,
        client: null,
        affinityKey: null,
        ...seed,
      },
      (slot, context) => (slot.instance as FakeInstance).work(context, takesMs),
    );
  }

  /** A context to take slots with directly. */
  context(o: Partial<SlotRequest> = {}): SlotRequest {
    return {
      component: 'hello',
      call: null,
      requestId: `r_${++this.#requests}`,
      traceparent: '',
      trigger: 'route',
      deadlineMs: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
      client: null,
      affinityKey: null,
      ...o,
    };
  }

  status(name: string): ReturnType<Scaler['status']>[number] {
    return this.scaler.status().find((one) => one.name === name)!;
  }

  /** The texts of the platform's log. */
  get story(): string[] {
    return this.log.map(({ text }) => text);
  }
}

type Seed = Parameters<InvocationDispatcher['run']>[1];
