import { systemClock } from '../../../base/clock.ts';
import type { FulcrumError } from '../../../base/errors.ts';
import type { Caller } from '../../../model/calls.ts';
import { NO_CALLER } from '../../../model/calls.ts';
import type { InstanceHome } from '../../../model/instance.ts';
import type { InvocationContext, InvocationResult } from '../../../model/invocation.ts';
import type { WireConnection } from '../../wire/connection.ts';
import { COMPOSE_MINOR } from '../../wire/frames.ts';
import { InvocationExchangeStream } from '../../wire/invocation-exchange.ts';
import type { Init } from '../../wire/messages.ts';
import { readCall } from '../../wire/call-frame.ts';
import { OutboundCalls } from '../../wire/outbound-calls.ts';
import { connectionOver, socketPair } from '../../wire/testing/pair.ts';
import { CallClient } from '../call-client.ts';
import { CallSlots } from '../call-slots.ts';
import { ChildInstance } from '../instance.ts';
import { Members } from '../members.ts';
import { NO_HANDLERS, type ModuleHandlers } from '../module-handlers.ts';

interface Ends {
  after(work: () => Promise<void>): void;
}

/** A caller's instance, the server, and a callee's instance: the real ones, each with a socket of its own to the server. */
export interface Wired {
  call(functionName: string, ...args: unknown[]): Promise<unknown>;
  /** How the calls have ended, as the server knows it; each is there when its invocation is over. */
  readonly ended: Promise<InvocationResult>[];
  /** The caller's, the callee's, and the server's ends towards both. */
  readonly ends: {
    caller: WireConnection;
    callee: WireConnection;
    toCaller: WireConnection;
    toCallee: WireConnection;
  };
  /** The invocation that the callee runs is given up. */
  abort(error: FulcrumError): void;
}

type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;

export async function wired(t: Ends, functions: Functions, minor = COMPOSE_MINOR): Promise<Wired> {
  const [[callerNear, callerFar], [calleeNear, calleeFar]] = await Promise.all([
    socketPair(t),
    socketPair(t),
  ]);
  const toCallee = connectionOver(calleeNear, 'server');
  const callee = connectionOver(calleeFar, 'instance');
  const init = { minor, component: 'store', bundlePath: '', env: {} } as Partial<Init> as Init;
  const members = new Members(init);
  const named = new Map(Object.entries(functions)) as unknown as ModuleHandlers['functions'];
  members.all[0]!.handlers = { ...NO_HANDLERS, functions: named };
  callee.handler = new ChildInstance(callee, init, members);
  const abort = new AbortController();
  const context: InvocationContext = {
    component: init.component,
    call: null,
    requestId: 'r_wired',
    traceparent: '',
    trigger: 'call',
    deadlineMs: systemClock.monotonicMs() + 60_000,
    signal: abort.signal,
  };
  const ended: Promise<InvocationResult>[] = [];
  const caller: Caller = {
    call: (_from, _to, invocation) => {
      const exchange = new InvocationExchangeStream(invocation, context, toCallee, minor, systemClock);
      ended.push(exchange.ended);
      return exchange.ended;
    },
    fetch: NO_CALLER.fetch,
  };
  const toCaller: WireConnection = connectionOver(callerNear, 'server', {
    opened: (stream, _type, flags, payload) => outbound.opened(stream, readCall(flags, payload)),
  });
  const outbound = new OutboundCalls('shop', toCaller, { caller } as InstanceHome, systemClock);
  const callerEnd = connectionOver(callerFar, 'instance');
  const client = new CallClient({ connection: callerEnd }, new Members(init), new CallSlots(), minor);
  return {
    call: (name, ...args) => client.call('store', name, args),
    ended,
    ends: { caller: callerEnd, callee, toCaller, toCallee },
    abort: (error) => abort.abort(error),
  };
}
