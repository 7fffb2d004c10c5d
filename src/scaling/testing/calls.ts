import { CancelSource } from '../../base/cancel.ts';
import type { Caller, CallRecord } from '../../model/calls.ts';
import type { Invocation, InvocationContext, InvocationResult, ThrownError } from '../../model/invocation.ts';
import type { Revision } from '../../model/revision.ts';
import { createCaller } from '../caller.ts';
import { Scene } from './scene.ts';

export const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

export type Call = Extract<Invocation, { kind: 'call' }>;

export function callOf(name: string, o: Partial<Call> = {}): Call {
  return { kind: 'call', function: name, args: { encoding: 'json', bytes: new Uint8Array() }, ...o };
}

/** What a component does when a function of it is called. */
export type Handler = (called: string, context: InvocationContext) => Promise<InvocationResult>;

export const DONE: InvocationResult = { outcome: 'ok', error: null, cpuMs: 0, value: null, thrown: null };

/** A scene whose components call each other. */
export class CallScene {
  readonly scene: Scene;
  readonly caller: Caller;
  readonly records: CallRecord[] = [];
  /** What `calls` says in the config, by component. */
  readonly allowed = new Map<string, readonly string[]>();
  /** Goes when the first caller goes. */
  readonly gone = new CancelSource();
  /** By component; others take `scene.runtime.workMs`. */
  readonly handlers = new Map<string, Handler>();
  /** How often each function was begun, in this order. */
  readonly begun: string[] = [];

  constructor(scene: Scene) {
    this.scene = scene;
    this.caller = createCaller({
      dispatcher: scene.dispatcher,
      components: () => scene.scaler.components(),
      callsOf: (component) => this.allowed.get(component) ?? null,
      sink: { record: (record) => void this.records.push(record) },
      clock: scene.clock,
      random: () => 0.5,
    });
    scene.runtime.onInvoke = async (instance, invocation, context) => {
      const { function: called } = invocation as Call;
      this.begun.push(`${context.component}.${called}`);
      const handler = this.handlers.get(context.component);
      if (handler === undefined) return { ...(await instance.work(context)), value: null, thrown: null };
      // It ends with its instance, whatever it waits for.
      const lost = instance.work(context, Number.POSITIVE_INFINITY);
      instance.calling++;
      const end = await Promise.race([
        handler(called, context),
        lost.then((end) => ({ ...end, value: null, thrown: null })),
      ]);
      instance.calling--;
      return end;
    };
  }

  static async of(...all: readonly Revision[]): Promise<CallScene> {
    return new CallScene(await Scene.of(...all));
  }

  /** The invocation that begins it all. */
  parent(o: Partial<InvocationContext> = {}): InvocationContext {
    return this.scene.context({
      component: 'storefront',
      requestId: 'r_parent',
      traceparent: TRACE,
      signal: this.gone,
      deadlineMs: this.scene.clock.monotonicMs() + 5_000,
      ...o,
    });
  }

  call(to: string, called = 'priceOf', o: Partial<InvocationContext> = {}): Promise<InvocationResult> {
    return this.caller.call('storefront', to, callOf(called), this.parent(o));
  }

  /** What a function does that calls another, and throws what that throws. */
  calling(to: string, called = 'priceOf'): Handler {
    return async (_, context) => {
      const { outcome, thrown } = await this.caller.call(context.component, to, callOf(called), context);
      return outcome === 'ok' ? DONE : threw(thrown!);
    };
  }
}

/** What the author's code threw, as an instance tells it. */
export function threw(thrown: ThrownError): InvocationResult {
  return { outcome: 'handler-error', error: null, cpuMs: 0, value: null, thrown };
}
