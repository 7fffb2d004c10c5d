import type { Context, EventPublisher, PublishedEvent, ServiceBinding } from './handler-types.ts';

/**
 * What a running instance gives to the author's code through the sdk. The bundled copy of the sdk and the runtime's child
 * come from different builds, so they meet at a symbol of the global registry and at nothing else.
 */
export interface InstanceHost {
  /** Contract version; raised when a member changes its meaning. */
  readonly version: 1;
  readonly component: string;
  /** Calls a named function of another component. Rejects with what it threw. */
  call(component: string, functionName: string, args: readonly unknown[]): Promise<unknown>;
  /** Sends a request to another component, as `ServiceBinding` says. Absent in what is older than bindings are. */
  fetch?(component: string, ...request: Parameters<ServiceBinding['fetch']>): Promise<Response>;
  /** Publishes an event, as `EventPublisher` says; it is looked at before this returns. Absent in what is older than events are. */
  publish?(...event: Parameters<EventPublisher['publish']>): Promise<PublishedEvent>;
  /** Of the invocation whose code runs at this moment; null where none does. Absent in what is older than this is. */
  context?(): Context | null;
}

const HOST = Symbol.for('fulcrum.instance-host');

/** The host of this process, or null where the code does not run under Fulcrum. */
export function instanceHost(): InstanceHost | null {
  return (globalThis as { [HOST]?: InstanceHost })[HOST] ?? null;
}

/** Called once by the runtime's child (and by `fulcrum/testing`) before the author's code is loaded. */
export function setInstanceHost(host: InstanceHost | null): void {
  (globalThis as { [HOST]?: InstanceHost | null })[HOST] = host;
}
