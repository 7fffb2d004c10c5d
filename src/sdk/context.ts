import { FulcrumError } from '../base/errors.ts';
import type { Context } from './handler-types.ts';
import { instanceHost } from './host.ts';

/**
 * The running invocation's context, which handlers have as their third argument; for named functions, and for whatever is called on the way.
 *
 * ```ts
 * export async function reserve(sku: string) {
 *   const { signal, requestId } = context();
 *   return await stock.reserve(sku, { signal });
 * }
 * ```
 *
 * In a function that another component has called it is that call's own: its signal aborts when whoever called has gone, or the time is up, and
 * `remainingMs()` is never more than the caller has left.
 *
 * Throws `outside-fulcrum` where no invocation runs: at a module's top level, in `onLoad` and `onStart`, in a timer that was set there, and in code that
 * does not run inside an app.
 */
export function context(): Context {
  const host = instanceHost();
  const running = host?.context?.() ?? null;
  if (running !== null) return running;
  throw new FulcrumError('outside-fulcrum', messageFor(host));
}

function messageFor(host: ReturnType<typeof instanceHost>): string {
  if (host === null)
    return (
      'context() was called outside Fulcrum, where nothing is invoked. Start the app with `fulcrum dev`, or in a test with startApp() of ' +
      "'fulcrum/testing'."
    );
  if (host.context === undefined)
    return 'context() was called under a Fulcrum that is older than it is. Upgrade it, and deploy the app again.';
  return 'context() was called where no invocation runs. Call it in a handler or in a named function, and not while the module is loaded or begins.';
}
