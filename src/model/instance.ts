import type { Mode, UnitSpec } from './app.ts';
import type { FulcrumError } from '../base/errors.ts';
import type { Caller, CallSink } from './calls.ts';
import type { Publisher } from './event.ts';
import type { HttpExchange, RequestHead } from './http.ts';
import type { Invocation, InvocationContext, InvocationEnd, InvocationResult } from './invocation.ts';
import type { LogSink } from './log.ts';
import type { Revision } from './revision.ts';
import type { Duplex } from 'node:stream';

export type Engine = 'spawn' | 'fork' | 'command';

/**
 * Whom an instance belongs to: one release of one app. Engines serve all of them, and components of several may have the same
 * name. The same object for all instances of a release; nothing that knows another is shared with them.
 */
export interface InstanceHome {
  /** What they reach other components by: those of the same release. */
  readonly caller: Caller;
  /** Names of the components that can be called, at this moment: those of the same release that have instances. */
  components(): readonly string[];
  /** Takes the calls that instances of groups have made within their process. */
  readonly calls: CallSink;
  /** What takes the events that they publish. */
  readonly publisher: Publisher;
  /** Where they write. */
  readonly log: LogSink;
  /** Variables that all of them have, beside what the engine gives everybody; a component's own of the same name win. */
  readonly env: Readonly<Record<string, string>>;
}

/** What is asked of a runtime: one instance of one revision. */
export interface StartOrder {
  readonly instanceId: string;
  readonly revision: Revision;
  readonly home: InstanceHome;
  readonly mode: Mode;
  readonly concurrency: number;
  readonly memoryBytes: number;
  /** Opens Node's inspector on this port; 0 lets the system choose. Null: no inspector. */
  readonly inspectPort: number | null;
  /** Gives the start up; the process that was begun is killed. */
  readonly signal: AbortSignal;
}

/** Makes instances. Implemented by each engine; a conformance suite holds them to the same behaviour. */
export interface Runtime {
  readonly engine: Engine;
  /** Resolves when the instance is ready to work. Rejects with `start-failed` (its last output in `details.output`). */
  start(order: StartOrder): Promise<Instance>;
  /**
   * How long what instances of `revision` are forked from stays without one, from now on and until it has ended; 0: it ends with the
   * last one; null: as its config says. Nothing where there is no such process.
   */
  keepZygote(revision: Revision, home: InstanceHome, keepAliveMs: number | null): void;
  /** Nothing of this home is needed any more: what was kept for its next instance goes, and so does what still lives of it. */
  forget(home: InstanceHome): void;
  /** Kills what still lives and frees every socket and file. */
  close(): Promise<void>;
}

/** Chooses the runtime for a component. */
export type RuntimeFor = (spec: UnitSpec, mode: Mode) => Runtime;

/**
 * A living process that runs one revision. States, and what leads from one to the next:
 *
 *   ready ──drain()──▶ draining ──stop()/kill()──▶ ending ──process gone──▶ ended
 *     └──────────── stop()/kill(), crash ────────────▶
 *
 * Only `ready` takes new work. `ended` resolves exactly once, whatever led there.
 */
export type InstanceState = 'ready' | 'draining' | 'ending' | 'ended';

export interface Instance {
  readonly id: string;
  readonly engine: Engine;
  readonly pid: number;
  readonly revision: Revision;
  readonly mode: Mode;
  readonly state: InstanceState;
  /** What the module of a component that it holds exports; null for a command, and for a component that it does not hold. */
  handlersOf(component: string): HandlerList | null;
  /** How many of its invocations wait for what they have called; 0 where it cannot tell. */
  readonly calling: number;
  /** The address of Node's inspector, where one was asked for. */
  readonly inspectUrl: string | null;
  /** Resolves when the process is gone. */
  readonly ended: Promise<InstanceEnded>;

  /**
   * Carries `exchange` through the instance, which tells it of its end. Where it ends with an error before `response.head` was called, the caller still owes the client an answer; where it
   * ends with one afterwards, the caller must cut the client's connection.
   */
  http(exchange: HttpExchange): void;
  invoke(invocation: Invocation, context: InvocationContext): Promise<InvocationResult>;
  /**
   * Hands a connection that asked to be upgraded to the instance, which answers on it. Resolves when it is closed;
   * with `upgrade-unsupported`, and `socket` untouched, where the instance cannot.
   */
  upgrade(request: UpgradeRequest): Promise<InvocationEnd>;

  /** Whether it answers: a ping over the wire, a TCP connect, or the health path. Never rejects. */
  healthy(timeoutMs: number): Promise<Health>;
  /** What the process holds and has used. Null once it is gone. */
  measure(): Promise<InstanceUsage | null>;

  /**
   * Of a group: calls of these members from now on come to the server even from within the process, for they have limits to be held.
   * What was under way before stays as it is. Does nothing for any other instance.
   */
  callThroughServer(members: readonly string[]): void;

  /** Takes no more work; event streams and WebSockets in flight are told to go. Idempotent. */
  drain(): void;
  /** drain(), then SIGTERM, then SIGKILL after `graceMs`. Resolves when the process is gone. Does not wait for work in flight. */
  stop(graceMs: number, why: string): Promise<void>;
  /** SIGKILL, now. Invocations in flight end as `crashed` with `error`. */
  kill(error: FulcrumError): void;
}

export interface UpgradeRequest {
  readonly context: InvocationContext;
  readonly head: RequestHead;
  readonly socket: Duplex;
  /** Bytes that the client sent behind its request's head. */
  readonly early: Uint8Array;
}

export interface HandlerList {
  readonly fetch: boolean;
  readonly scheduled: boolean;
  readonly queue: boolean;
  readonly websocket: boolean;
  readonly functions: readonly string[];
  /** Those of them that may be begun again where their instance dies. */
  readonly idempotent: readonly string[];
}

export type Health = { readonly healthy: true } | { readonly healthy: false; readonly reason: string };

export interface InstanceUsage {
  /** Private (unshared) resident memory. */
  readonly memoryBytes: number;
  /** User and system time since the process began. */
  readonly cpuMs: number;
}

export interface InstanceEnded {
  /** Why, in words a log line can carry: `keep-alive passed`, `exit code 1`, `SIGKILL`, … */
  readonly reason: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Whether the platform asked for it. */
  readonly expected: boolean;
  /** User and system time of all its life; absent where its end does not tell. Of a function: as a process says that ran its author's code. */
  readonly cpuMs?: number;
}
