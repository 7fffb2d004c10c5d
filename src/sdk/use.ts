import { instanceHost } from './host.ts';
import { outsideFulcrum } from './outside.ts';

/** A component as another one sees it: its exported named functions, each of them async. */
export type Remote<M> = {
  readonly [
    K in keyof M as K extends 'default' | 'then'
      ? never
      : M[K] extends (...args: never[]) => unknown
        ? K
        : never
  ]: M[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

type RemoteFunction = (...args: unknown[]) => Promise<unknown>;

/** What the language itself looks for on a value. Answering with a function would make it call the component. */
const NOT_CALLS: ReadonlySet<string> = new Set(['default', 'then', 'toJSON']);

/**
 * The exported named functions of another component of the app. Nothing is looked up before the first call, so it may stand
 * at module level, and two components may use each other.
 *
 * ```ts
 * const catalog = use<typeof import('./catalog.ts')>('catalog');
 * const price = await catalog.priceOf('A-1');
 * ```
 *
 * Arguments and results are cloned (the structured clone algorithm, 10 MB at most), wherever the other component runs. A `ReadableStream` and an
 * `AbortSignal` among them pass, 32 in one value at most; whoever passes a stream has given it away.
 *
 * A call has its own component's timeout, and never more time than its caller has left; the signal of its `context()` aborts when its caller has gone.
 * It is made once, unless the function is marked `idempotent`.
 *
 * It rejects with a copy of what the function threw (name, message, code and cause), or with `call-unknown-component`, `call-unknown-function`,
 * `call-not-allowed`, `call-cycle`, `call-too-deep`, `call-not-cloneable`, `call-too-large`, `handler-missing` (of a command), `timeout`, `client-gone`
 * (the caller's own invocation is over), `instance-crashed`, `overloaded`, `rate-limited`, `switched-off`, or `outside-fulcrum` where the code does not
 * run inside an app; the message names callee and request. A stream in its result fails with `instance-crashed` where its instance ends.
 * Where it may be tried again later, `retryAfterS` of the error says in how many seconds. A handler that lets such a refusal through
 * (`rate-limited`, `switched-off`, `overloaded`, `machine-full`, `resources-exhausted`) answers 503 with `Retry-After`.
 *
 * @param component its name in `components` of the config.
 */
export function use<M>(component: string): Remote<M> {
  const functions = new Map<string, RemoteFunction>();
  return new Proxy(Object.freeze(Object.create(null) as object), {
    get(_target, key) {
      if (typeof key === 'symbol' || NOT_CALLS.has(key) || key in Object.prototype) return undefined;
      const known = functions.get(key);
      if (known !== undefined) return known;
      const made = remoteFunction(component, key);
      functions.set(key, made);
      return made;
    },
  }) as Remote<M>;
}

function remoteFunction(component: string, name: string): RemoteFunction {
  return async (...args) => {
    const host = instanceHost();
    if (host === null) {
      throw outsideFulcrum(host, `${component}.${name}() was called`, `no component '${component}'`, 'calls');
    }
    return host.call(component, name, args);
  };
}
