import type { Invocation, InvocationContext, InvocationResult } from './invocation.ts';

/** How a component reaches another: supplied to the runtimes by the composition root. */
export interface Caller {
  /**
   * Runs `invocation` on component `to` for component `from`. Never rejects: `thrown` carries what the caller's side throws.
   * @param parent the invocation that calls: request id, trace and deadline go along; the callee's deadline is never later.
   */
  call(
    from: string,
    to: string,
    invocation: Invocation,
    parent: InvocationContext,
  ): Promise<InvocationResult>;
}
