import { inspect } from 'node:util';

/** Node's own classes, taken before ours stand in their place. */
export const NativeRequest: typeof Request = globalThis.Request;
export const NativeResponse: typeof Response = globalThis.Response;
export const NativeHeaders: typeof Headers = globalThis.Headers;
export const nativeFetch: typeof fetch = globalThis.fetch;

export type RequestInput = ConstructorParameters<typeof NativeRequest>[0];
export type HeadersInput = ConstructorParameters<typeof NativeHeaders>[0];
export type BodyInput = ConstructorParameters<typeof NativeResponse>[0];

interface Class {
  readonly prototype: object;
}

/** Makes `light` one with `native` for whoever looks: its name and length, `instanceof` both ways, members that can be listed. */
export function standInFor(light: Class, native: Class): void {
  Object.setPrototypeOf(light.prototype, native.prototype);
  for (const name of ['name', 'length']) {
    Object.defineProperty(light, name, Object.getOwnPropertyDescriptor(native, name)!);
  }
  Object.defineProperty(light, Symbol.hasInstance, {
    // An author's subclass inherits this, and not every one of ours is one of its.
    value(this: Class, value: unknown): boolean {
      return value !== light.prototype && isOf(this === light ? native : this, value);
    },
  });
  shapeAs(light, native);
  shapeAs(light.prototype, native.prototype);
}

/** Web IDL has the members of an interface enumerable, those of a class are not; and what may be left out has no length. */
export function shapeAs(light: object, native: object): void {
  for (const name of Object.keys(native)) {
    if (!Object.hasOwn(light, name)) continue;
    Object.defineProperty(light, name, { enumerable: true });
    const [ours, theirs] = [light, native].map(
      (of) => Object.getOwnPropertyDescriptor(of, name)?.value as unknown,
    );
    if (typeof ours !== 'function' || typeof theirs !== 'function') continue;
    Object.defineProperty(ours, 'length', { value: theirs.length });
  }
}

/** What `inspect` shows of one of Node's own. */
export function told(native: object, depth: number, options: object): string {
  const custom = Reflect.get(native, inspect.custom) as (depth: number, options: object) => string;
  return custom.call(native, depth, options);
}

/** Whether `value` is one of `native`'s, of ours or of Node's: ours have Node's behind them in their chain of prototypes. */
function isOf(native: Class, value: unknown): boolean {
  return Object.prototype.isPrototypeOf.call(native.prototype, value as object);
}
