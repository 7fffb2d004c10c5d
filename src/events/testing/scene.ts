import { FakeClock } from '../../base/fake-clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import type { ComponentSpec, ModuleSpec } from '../../model/app.ts';
import type { Dispatcher, InvocationSeed, Work } from '../../model/dispatch.ts';
import type { EventOrder, Published } from '../../model/event.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationEnd,
  InvocationResult,
} from '../../model/invocation.ts';
import type { Slot } from '../../model/slot.ts';
import type { WaitingWork } from '../../model/work-window.ts';
import {
  DEFAULT_EVENTS,
  DEFAULT_RETRY,
  type EventSettings,
  type Subscription,
} from '../../model/work-settings.ts';
import { revision } from '../../scaling/testing/scene.ts';
import { DurableEvents } from '../durable-events.ts';
import { ServerEvents } from '../server-events.ts';
import type { Serving } from '../serving.ts';
import { MemoryEventStore } from './memory-store.ts';

const APP = 'shop.test';

interface Message {
  readonly id: string;
  readonly type: string;
  readonly key: string | null;
  readonly attempt: number;
  readonly data?: unknown;
  readonly data_base64?: string;
}

/** One invocation, as the component of a scene sees it. */
export interface Invoked {
  readonly component: string;
  readonly invocation: Invocation;
  readonly messages: readonly Message[];
  readonly seed: InvocationSeed;
  end(how: Partial<InvocationResult>): void;
  ack(id: string): void;
  retry(id: string, afterMs?: number): void;
}

export const OK: InvocationResult = { outcome: 'ok', error: null, cpuMs: 0, value: null, thrown: null };

export function failedWith(
  code: 'handler-error' | 'timeout' | 'instance-crashed',
  retryAfterS?: number,
): InvocationResult {
  const outcome = code === 'timeout' ? 'timeout' : code === 'handler-error' ? 'handler-error' : 'crashed';
  const thrown = {
    name: 'Error',
    message: 'no',
    stack: null,
    code: null,
    cause: null,
    retryAfterS: retryAfterS ?? null,
  };
  return { ...OK, outcome, error: new FulcrumError(code, `It failed: ${code}.`), thrown };
}

export function subscription(types: readonly string[], o: Partial<Subscription> = {}): Subscription {
  return { types, batchSize: 10, batchWaitMs: 0, concurrency: null, retry: DEFAULT_RETRY, http: null, ...o };
}

export function component(name: string, o: Partial<ModuleSpec> = {}): ModuleSpec {
  return { ...revision(name).spec, ...o };
}

export function order(type: string, data: unknown = {}, o: Partial<EventOrder> = {}): EventOrder {
  return {
    ...{ type, contentType: 'application/json', key: null, delayMs: 0, dedupe: null, id: null, source: null },
    ...{ subject: null, timeMs: null, extensions: {} },
    data: Buffer.from(JSON.stringify(data)),
    ...o,
  };
}

export interface SceneOptions {
  readonly components?: readonly ComponentSpec[];
  readonly settings?: Partial<EventSettings>;
  readonly store?: MemoryEventStore;
  readonly clock?: FakeClock;
  readonly sharesStore?: boolean;
  readonly isAlone?: boolean;
}

/** One app on one server, whose clock, store and instances belong to the test. */
export class Scene {
  readonly clock: FakeClock;
  readonly store: MemoryEventStore;
  readonly server: ServerEvents;
  readonly events: DurableEvents;
  /** Invocations that the test has not answered. */
  readonly open: Invoked[] = [];
  /** All there were. */
  readonly invoked: Invoked[] = [];
  /** Answers each at once, where set. */
  answer: ((invoked: Invoked) => Partial<InvocationResult> | null) | null = null;
  /** Refuses everything, where set. */
  refusal: FulcrumError | null = null;
  /** As scaling would say. */
  window = 100;
  readonly windowsAsked: WaitingWork[] = [];
  components: ReadonlyMap<string, ComponentSpec>;
  readonly #settings: EventSettings;

  static async begin(o: SceneOptions): Promise<Scene> {
    const scene = new Scene(o);
    await scene.server.begin({ isAlone: o.isAlone ?? true, sharesStore: () => o.sharesStore ?? false });
    scene.events.served();
    await scene.settle();
    return scene;
  }

  private constructor(o: SceneOptions) {
    this.clock = o.clock ?? new FakeClock();
    this.store = o.store ?? new MemoryEventStore();
    this.components = new Map((o.components ?? []).map((spec) => [spec.name, spec]));
    this.#settings = { ...DEFAULT_EVENTS, ...o.settings };
    this.server = new ServerEvents({
      store: this.store,
      clock: this.clock,
      logger: silentLogger,
      http: null,
      newTraceparent: () => '00-11111111111111111111111111111111-2222222222222222-01',
      random: () => 0.5,
    });
    this.events = new DurableEvents({
      app: APP,
      server: this.server,
      serving: () => this.#serving(),
      scheduler: null,
    });
  }

  /** Lets everything that is possible now happen. */
  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await this.clock.advance(0);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.settle();
  }

  async publish(...orders: readonly EventOrder[]): Promise<readonly Published[]> {
    const published = await this.events.publish('checkout', orders);
    await this.settle();
    return published;
  }

  /** Answers what is open; null: everything. */
  async end(how: Partial<InvocationResult> = OK, count = this.open.length): Promise<void> {
    for (const invoked of this.open.slice(0, count)) invoked.end(how);
    await this.settle();
  }

  #serving(): Serving {
    const dispatcher: Dispatcher = {
      carry: () => {
        throw new Error('not used');
      },
      run: (name, seed, work) => this.#run(name, seed, work),
    };
    return {
      components: this.components,
      settings: this.#settings,
      dispatcher,
      window: {
        workWindow: (_component, work) => {
          this.windowsAsked.push(work);
          return this.window;
        },
      },
    };
  }

  async #run<E extends InvocationEnd>(
    name: string,
    seed: InvocationSeed,
    work: Work<E>,
  ): Promise<E | InvocationEnd> {
    if (this.refusal !== null) return { outcome: 'refused', error: this.refusal, cpuMs: 0 };
    const instance = {
      invoke: (invocation: Invocation) =>
        new Promise<InvocationResult>((resolve) => {
          const say = (id: string, as: 'acked' | 'retried', afterMs: number | null): void => {
            if (invocation.kind === 'queue') invocation.onSaid?.({ id, as, afterMs });
          };
          const invoked: Invoked = {
            component: name,
            invocation,
            messages: invocation.kind === 'queue' ? messagesOf(invocation) : [],
            seed,
            end: (how) => {
              const at = this.open.indexOf(invoked);
              if (at >= 0) this.open.splice(at, 1);
              resolve({ ...OK, ...how });
            },
            ack: (id) => say(id, 'acked', null),
            retry: (id, afterMs) => say(id, 'retried', afterMs ?? null),
          };
          this.open.push(invoked);
          this.invoked.push(invoked);
          const how = this.answer?.(invoked) ?? null;
          if (how !== null) invoked.end(how);
        }),
    };
    const slot = { instance } as unknown as Slot;
    const control = { answered: () => undefined, status: () => undefined, over: () => undefined };
    return await work(slot, { requestId: seed.requestId } as InvocationContext, control);
  }
}

function messagesOf(invocation: Extract<Invocation, { kind: 'queue' }>): Message[] {
  const { messages } = JSON.parse(Buffer.from(invocation.batch.bytes).toString()) as { messages: Message[] };
  return messages;
}
