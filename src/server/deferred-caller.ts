import type { Caller } from '../model/calls.ts';

/** A caller that is told later how to call: runtimes need one before the scaler that they serve exists. */
export function deferredCaller(): Caller & { set(caller: Caller): void } {
  let real: Caller | null = null;
  return {
    set(caller) {
      real = caller;
    },
    call(from, to, invocation, parent) {
      if (real === null) throw new Error('A component called another before the app was started.');
      return real.call(from, to, invocation, parent);
    },
    fetch(from, to, order, parent) {
      if (real === null) throw new Error('A component called another before the app was started.');
      real.fetch(from, to, order, parent);
    },
  };
}
