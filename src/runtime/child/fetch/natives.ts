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
      return isOf(this === light ? native : this, value);
    },
  });
  list(light, native);
  list(light.prototype, native.prototype);
}

/** Web IDL has the members of an interface enumerable, those of a class are not. */
export function list(light: object, native: object): void {
  for (const name of Object.keys(native)) {
    if (Object.hasOwn(light, name)) Object.defineProperty(light, name, { enumerable: true });
  }
}

/** Whether `value` is one of `native`'s, of ours or of Node's: ours have Node's behind them in their chain of prototypes. */
export function isOf(native: Class, value: unknown): boolean {
  return Object.prototype.isPrototypeOf.call(native.prototype, value as object);
}
