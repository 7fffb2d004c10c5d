const IDEMPOTENT = Symbol.for('fulcrum.idempotent');

/**
 * Marks a named function as one that may be begun again: done twice, it has done what it does once. A call of it whose instance dies
 * is then made anew, within the caller's time and three times at most; of others the caller is told.
 *
 * ```ts
 * export const priceOf = idempotent(async (sku: string) => prices.get(sku));
 * ```
 *
 * It is not made anew where its caller has gone, where streams or signals were passed, once its result has been told, or where the function threw or its
 * time was up. The mark changes nothing of calls within the process of a group, which nobody outlives.
 *
 * Throws a TypeError where `run` is no function, or is frozen.
 *
 * @returns the function itself.
 */
export function idempotent<F extends (...args: never[]) => unknown>(run: F): F {
  return Object.defineProperty(run, IDEMPOTENT, { value: true });
}
