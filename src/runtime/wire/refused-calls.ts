/**
 * What was refused to an invocation when it called other components, as the server itself has seen it: by that alone it is believed
 * that a handler failed because of a refusal. What an instance says of its own failure anybody's code can say.
 */
import { FulcrumError, type ErrorCode } from '../../base/errors.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import type { Failure } from './thrown.ts';

/**
 * For a time, and because of how much is asked: who asks again later is served. Not `start-failed` and `timeout`, which are some
 * author's to mend and count as such.
 */
const FOR_A_TIME: ReadonlySet<ErrorCode> = new Set([
  'rate-limited',
  'switched-off',
  'overloaded',
  'machine-full',
  'resources-exhausted',
]);

/** By code, ready to be answered with. Weak, for most invocations are refused nothing and should carry no field for it. */
const refusals = new WeakMap<InvocationContext, Map<string, FulcrumError>>();

/** `by` has ended a call to component `to` that `context` is the caller of. */
export function noteRefusal(context: InvocationContext, to: string, by: FulcrumError): void {
  const refusal = by.code === 'call-refused' ? by : FOR_A_TIME.has(by.code) ? callRefused(to, by) : null;
  if (refusal === null) return;
  let known = refusals.get(context);
  if (known === undefined) refusals.set(context, (known = new Map()));
  known.set(refusal.refused!.code, refusal);
}

/** The error of an invocation whose instance says that it failed: a refusal that its handler has let through, or what it says. */
export function errorOf({ code, message, thrown }: Failure, context: InvocationContext): FulcrumError {
  const refusal =
    code === 'handler-error' && thrown !== null && thrown.code !== null
      ? refusals.get(context)?.get(thrown.code)
      : undefined;
  return refusal ?? new FulcrumError(code, message);
}

function callRefused(to: string, cause: FulcrumError): FulcrumError {
  const message = `Component "${to}", which is called for this, refuses it for now (${cause.code}).`;
  const { retryAfterS } = cause;
  return new FulcrumError('call-refused', message, { cause, ...(retryAfterS !== null && { retryAfterS }) });
}
