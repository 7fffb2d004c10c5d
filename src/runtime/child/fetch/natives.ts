/** Node's own classes, taken before ours stand in their place. */
export const NativeRequest = globalThis.Request;
export const NativeResponse = globalThis.Response;
export const NativeHeaders = globalThis.Headers;
export const nativeFetch = globalThis.fetch;

export type RequestInput = ConstructorParameters<typeof NativeRequest>[0];
export type HeadersInput = ConstructorParameters<typeof NativeHeaders>[0];
export type BodyInput = ConstructorParameters<typeof NativeResponse>[0];

/** Whether `value` is one of `native`'s, of ours or of Node's: ours have Node's behind them in their chain of prototypes. */
export function isOf(native: { readonly prototype: object }, value: unknown): boolean {
  return Object.prototype.isPrototypeOf.call(native.prototype, value as object);
}
