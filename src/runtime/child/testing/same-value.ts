import { types } from 'node:util';

/**
 * Where `a` and `b` differ, as text; null where they do not: same classes, properties in the same order, same contents, and the same
 * objects shared at the same places.
 */
export function difference(
  a: unknown,
  b: unknown,
  ofErrors: (error: Error) => readonly unknown[],
): string | null {
  return new Comparison(ofErrors).find(a, b, '');
}

class Comparison {
  readonly #pairs = new Map<object, object>();
  readonly #backwards = new Map<object, object>();
  readonly #ofErrors: (error: Error) => readonly unknown[];

  constructor(ofErrors: (error: Error) => readonly unknown[]) {
    this.#ofErrors = ofErrors;
  }

  find(a: unknown, b: unknown, path: string): string | null {
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null)
      return Object.is(a, b) ? null : `${path}: ${String(a)} and ${String(b)}`;
    const [known, backwards] = [this.#pairs.get(a), this.#backwards.get(b)];
    if (known !== undefined || backwards !== undefined)
      return known === b && backwards === a ? null : `${path}: other objects are shared`;
    this.#pairs.set(a, b);
    this.#backwards.set(b, a);
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: another class`;
    const [inner, others] = [contents(a, this.#ofErrors), contents(b, this.#ofErrors)];
    if (inner.length !== others.length) return `${path}: ${inner.length} and ${others.length} parts`;
    for (let i = 0; i < inner.length; i++) {
      const found = this.find(inner[i], others[i], `${path}/${i}`);
      if (found !== null) return found;
    }
    return null;
  }
}

/** All that makes `value` what it is. */
function contents(value: object, ofErrors: (error: Error) => readonly unknown[]): unknown[] {
  if (types.isDate(value)) return [value.getTime()];
  if (types.isRegExp(value)) return [value.source, value.flags, value.lastIndex];
  if (types.isBoxedPrimitive(value)) return [(value as { valueOf(): unknown }).valueOf()];
  if (types.isArrayBuffer(value)) {
    return [value.byteLength, value.resizable, value.maxByteLength, Buffer.from(value).toString('hex')];
  }
  if (ArrayBuffer.isView(value)) return [value.byteOffset, value.byteLength, value.buffer];
  if (types.isMap(value)) return [...value].flat();
  if (types.isSet(value)) return [...value];
  if (value instanceof DOMException) return [value.name, value.message, value.code];
  if (types.isNativeError(value))
    return [value.message, value.stack, value.cause, 'cause' in value, ...ofErrors(value)];
  const own = Object.getOwnPropertyDescriptors(value);
  return [
    ...Reflect.ownKeys(value),
    ...Object.values(own).flatMap((d) => [d.value, d.enumerable, d.writable, d.configurable, d.get]),
  ];
}
