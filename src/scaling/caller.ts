import type { CancelSignal } from '../base/cancel.ts';
import { randomBytes } from 'node:crypto';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { Caller } from '../model/calls.ts';
import type { Dispatcher } from '../model/dispatch.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationEnd,
  InvocationResult,
  ThrownError,
} from '../model/invocation.ts';

/**
 * How components reach each other: a call is an invocation like any other, with its parent's request id, trace and deadline.
 * @param components the names of the components that can be called, at this moment.
 */
export function createCaller(dispatcher: Dispatcher, components: () => Iterable<string>): Caller {
  return {
    async call(from, to, invocation, parent) {
      const known = [...components()];
      if (!known.includes(to)) {
        const error = unknownComponent(from, to, known);
        return { ...refused(error), thrown: asThrown(error, error.message) };
      }
      return await callComponent(dispatcher, from, to, invocation, parent);
    },
  };
}

async function callComponent(
  dispatcher: Dispatcher,
  from: string,
  to: string,
  invocation: Invocation,
  parent: InvocationContext,
): Promise<InvocationResult> {
  const running: Promise<InvocationResult | InvocationEnd> = dispatcher.run<InvocationResult>(
    to,
    {
      requestId: parent.requestId,
      traceparent: childOf(parent.traceparent),
      trigger: 'call',
      signal: parent.signal,
      deadlineMs: parent.deadlineMs,
      client: null,
      affinityKey: null,
    },
    (slot, context) => slot.instance.invoke(invocation, context),
  );
  const end = await orGivenUp(running, parent.signal);
  const result = 'thrown' in end ? end : { ...end, value: null, thrown: null };
  if (result.error === null || result.thrown !== null) return result;
  const message = `Component "${to}" failed when "${from}" called it (request ${parent.requestId}): ${result.error.message}`;
  return { ...result, value: null, thrown: asThrown(result.error, message) };
}

/** The callee may go on, and holds its slot, after the calling invocation was given up; the caller does not wait for that. */
async function orGivenUp<E extends InvocationEnd>(
  running: Promise<E>,
  signal: CancelSignal,
): Promise<E | InvocationEnd> {
  const { promise: givenUp, resolve } = Promise.withResolvers<InvocationEnd>();
  const onAbort = (): void => {
    const error = asFulcrumError(signal.reason, 'client-gone');
    resolve({ outcome: error.code === 'timeout' ? 'timeout' : 'cancelled', error, cpuMs: 0 });
  };
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([running, givenUp]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function unknownComponent(from: string, to: string, known: readonly string[]): FulcrumError {
  const near = nearest(to, known);
  const hint =
    near === null ? `There are: ${known.map((name) => `"${name}"`).join(', ')}.` : `Did you mean "${near}"?`;
  return new FulcrumError(
    'call-unknown-component',
    `Component "${from}" calls "${to}", which does not exist. ${hint}`,
  );
}

function refused(error: FulcrumError): Omit<InvocationResult, 'thrown'> {
  return { outcome: 'refused', error, cpuMs: 0, value: null };
}

/** The error as the calling side throws it: without our stack, which would tell its author nothing. */
function asThrown(error: FulcrumError, message: string): ThrownError {
  return { name: error.name, message, stack: null, code: error.code, cause: null };
}

/**
 * A child span of the same trace (W3C Trace Context, version 00: `00-<trace id>-<parent id>-<flags>`). What is no such
 * header is passed on as it is.
 */
function childOf(traceparent: string): string {
  const match = /^(00-[0-9a-f]{32}-)[0-9a-f]{16}(-[0-9a-f]{2})$/.exec(traceparent);
  return match === null ? traceparent : `${match[1]}${randomBytes(8).toString('hex')}${match[2]}`;
}
