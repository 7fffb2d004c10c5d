import type { Clock } from '../../base/clock.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import { chainWith } from './chain-text.ts';
import type { CallHead } from './messages.ts';
import { protocolError } from './protocol-error.ts';

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** `00-`, the trace's id and `-`. */
const TRACE_LENGTH = 36;

/**
 * Who of a group asks for something over the wire. Throws `wire-protocol` where it says that another does.
 * @param members null: there is but one component, and it is that.
 */
export function askerOf(head: CallHead, unit: string, members: readonly string[] | null): string {
  if (members === null) return unit;
  const from = head.from ?? null;
  if (from === null || !members.includes(from)) throw protocolError('a CALL by no member of the group');
  return from;
}

/**
 * The invocation as it is where a group's instance asks for something: it may have called others within its process since, which have less time and are further
 * down the chain. Null where its path leads to another than `from`: the invocation is over, and its number that of another.
 * Throws `wire-protocol` where the instance claims what cannot be.
 */
export function contextAt(
  head: CallHead,
  from: string,
  members: readonly string[],
  invocation: InvocationContext,
  clock: Clock,
): InvocationContext | null {
  const path = head.path ?? [];
  const last = path.at(-1)?.component ?? invocation.component;
  if (last !== from) return null;
  if (path.length === 0) return invocation;
  if (!path.every(({ component }) => members.includes(component)))
    throw protocolError('a path of calls that leads out of the process');
  const { traceparent, remainingMs } = head;
  const deadlineMs = remainingMs > 0 ? clock.monotonicMs() + remainingMs : Number.POSITIVE_INFINITY;
  return {
    component: from,
    call: chainWith(invocation.call, path),
    requestId: invocation.requestId,
    traceparent: isOf(traceparent, invocation.traceparent) ? traceparent : invocation.traceparent,
    trigger: invocation.trigger,
    deadlineMs: Math.min(deadlineMs, invocation.deadlineMs),
    signal: invocation.signal,
  };
}

/** Whether it is a span of the same trace. */
function isOf(traceparent: string, trace: string): boolean {
  return TRACEPARENT.test(traceparent) && traceparent.startsWith(trace.slice(0, TRACE_LENGTH));
}
