import { systemClock } from '../../../src/base/clock.ts';
import type { Caller, CallRecord } from '../../../src/model/calls.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { ModuleRevision } from '../../../src/model/revision.ts';
import type { Slot } from '../../../src/model/slot.ts';
import { InvocationDispatcher, type DispatchSlots } from '../../../src/scaling/dispatcher.ts';
import { createFetchCaller } from '../../../src/scaling/fetch-caller.ts';
import { Bench, fixturePath, moduleRevision, type CreateRuntime, type Ends } from './bench.ts';

/** Whether components are in a process together or each in one of its own. */
export type Arrangement = 'joined' | 'apart';

/** Of `hasty`, which is `catalog` with less time. */
const HASTY_MS = 40;
const CALLEES = ['catalog', 'hasty', 'functions'];
/** What there is besides, or is said to be. */
const OTHERS = ['cart', 'events', 'files', 'gone'];

/** Components of which one, `shop`, has service bindings of others. Their instances stand still; all between is as in a server. */
export class Bound {
  readonly arrangement: Arrangement;
  readonly records: CallRecord[] = [];
  /** Slots of callees that have been given and not released. */
  #held = 0;
  #free = Promise.withResolvers<void>();
  bench!: Bench;
  /** Holds `shop`. */
  caller!: Instance;
  readonly #callees = new Map<string, Instance>();

  static async open(ends: Ends, create: CreateRuntime, arrangement: Arrangement): Promise<Bound> {
    const bound = new Bound(arrangement);
    bound.bench = await Bench.open(ends, create, {
      caller: bound.#caller(),
      calls: { record: (record) => void bound.records.push(record) },
      components: ['shop', ...CALLEES, ...OTHERS],
    });
    const calls = [...CALLEES, ...OTHERS];
    const shop = moduleRevision('shop', fixturePath('bindings.mjs'), {
      env: { cart: 'a variable' },
      calls: calls.filter((name) => name !== 'cart'),
    });
    const callees = CALLEES.map(calleeRevision);
    if (arrangement === 'joined') {
      bound.caller = await bound.bench.startGroup([shop, ...callees]);
    } else {
      bound.caller = await bound.bench.startRevision(shop);
      for (const name of CALLEES) await bound.revive(name);
    }
    return bound;
  }

  private constructor(arrangement: Arrangement) {
    this.arrangement = arrangement;
  }

  /** No callee is asked anything. */
  async whenFree(): Promise<void> {
    if (this.#held > 0) await this.#free.promise;
  }

  /** An instance of a callee that stands apart, in place of the one that was. */
  async revive(name: string): Promise<void> {
    this.#callees.set(name, await this.bench.startRevision(calleeRevision(name)));
  }

  #caller(): Caller {
    const slots: DispatchSlots = {
      take: (component) => this.#slot(component),
      timeoutMs: (component) => (component === 'hasty' ? HASTY_MS : 60_000),
      present: () => null,
      retryAfterS: () => 1,
    };
    const dispatcher = new InvocationDispatcher({
      slots,
      usage: { record: () => undefined },
      clock: systemClock,
    });
    return {
      call: () => Promise.reject(new Error('nothing is called here')),
      fetch: createFetchCaller({
        dispatcher,
        components: () => ['shop', ...CALLEES],
        callsOf: () => null,
        isStatic: (component) => component === 'files',
        sink: { record: (record) => void this.records.push(record) },
        clock: systemClock,
      }),
    };
  }

  #slot(component: string): Slot {
    if (this.#held++ === 0) this.#free = Promise.withResolvers();
    return {
      instance: this.#callees.get(component)!,
      mode: 'service',
      cold: false,
      waitedMs: 0,
      startMs: 0,
      answered: () => undefined,
      release: () => {
        if (--this.#held === 0) this.#free.resolve();
      },
    };
  }
}

function calleeRevision(name: string): ModuleRevision {
  const path = fixturePath(name === 'hasty' ? 'catalog.mjs' : `${name}.mjs`);
  return moduleRevision(name, path, name === 'hasty' ? { timeoutMs: HASTY_MS } : {});
}
