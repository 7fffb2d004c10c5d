import { RefusedValue } from './refused-value.ts';

/** Throws where the engine refuses an object, or keeps it as more than its properties: it alone can tell of its own. */
export function ensurePlain(value: object): void {
  const copied = cloned(value);
  if (Object.getPrototypeOf(copied) !== Object.prototype) throw new RefusedValue(`a ${nameOf(value)}`);
}

export function cloned<T extends object>(value: T): T {
  try {
    return structuredClone(value);
  } catch (error) {
    throw new RefusedValue(`a ${nameOf(value)}`, { cause: error });
  }
}

export function nameOf(value: object): string {
  const { name } = (value.constructor ?? {}) as { name?: unknown };
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : 'platform object';
}

export function pick(value: object, keys: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const key of keys) {
    // As structured clone does: what a getter before has taken away is left out.
    if (!Object.hasOwn(value, key)) continue;
    put(picked, key, (value as Record<string, unknown>)[key]);
  }
  return picked;
}

export function put(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** An error that the engine takes for `value`, but for its cause. Made without a stack of its own. */
export function likeness(value: Error): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const made = new Error();
  Error.stackTraceLimit = limit;
  const message = Object.getOwnPropertyDescriptor(value, 'message');
  for (const [key, text] of [
    ['name', value.name],
    ['stack', value.stack],
    ['message', message === undefined ? undefined : String(message.value)],
  ] as const) {
    if (text !== undefined)
      Object.defineProperty(made, key, { value: text, configurable: true, writable: true });
  }
  return made;
}

export function isPrimitive(value: unknown): boolean {
  return (
    (typeof value !== 'object' || value === null) && typeof value !== 'function' && typeof value !== 'symbol'
  );
}
