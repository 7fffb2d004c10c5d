import { types } from 'node:util';
import type { Incoming } from './crossing.ts';

/** What stands in for an object that the engine does not clone as it should be. */
export type Stand =
  | readonly ['stream' | 'signal', number]
  /** A signal that has aborted, with its reason. */
  | ['aborted', unknown]
  | readonly ['exception', name: string, message: string, stack: string | null];

/**
 * What is to be done to a clone: it follows the value, and refers to the objects in it. Lists within lists, since these
 * are the shortest in the engine's format.
 */
export interface Marks {
  /** An error, and what structured clone forgets of it. */
  readonly errors: [error: Error, name: string, code: string | number | null][];
  readonly stands: Stand[];
  /**
   * Where the stand of that number stands. The parent is null for the whole value; the key is a property of it, or in a Map twice the
   * entry's place (and one more for its value), or in a Set its place.
   */
  readonly places: [parent: object | null, key: string | number, stand: number][];
}

/** Carries `marks` out on the clone `root` that they refer to. Throws where they are none that a snapshot has made. */
export function applyMarks(root: unknown, marks: unknown, passed: readonly Incoming[]): unknown {
  const { errors, stands, places } = marksOf(marks);
  for (const [error, name, code] of errors) restoreError(error, name, code);
  const made = stands.map((stand) =>
    stand[0] === 'aborted' ? new AbortController() : standIn(stand, passed),
  );
  const objects = made.map((one) => (one instanceof AbortController ? one.signal : one));
  const rebuilt = new Map<object, Map<number, unknown>>();
  let value = root;
  for (const [parent, key, stand] of places) {
    if (!(stand in objects)) throw new Error('A mark of a value stands for nothing.');
    const object = objects[stand];
    if (parent === null) {
      value = object;
    } else if (types.isMap(parent) || types.isSet(parent)) {
      const replaced = rebuilt.get(parent) ?? new Map<number, unknown>();
      rebuilt.set(parent, replaced.set(Number(key), object));
    } else {
      define(parent, key, object, !types.isNativeError(parent));
    }
  }
  for (const [parent, replaced] of rebuilt) rebuild(parent, replaced);
  for (const [i, one] of made.entries()) if (one instanceof AbortController) one.abort(stands[i]![1]);
  return value;
}

function standIn(stand: Exclude<Stand, readonly ['aborted', unknown]>, passed: readonly Incoming[]): unknown {
  if (stand[0] === 'exception') {
    const [, name, message, stack] = stand;
    const exception = new DOMException(message, name);
    if (stack !== null) define(exception, 'stack', stack, false);
    return exception;
  }
  const [kind, number] = stand;
  const incoming = passed[number];
  if (incoming === undefined) throw new Error(`The ${kind} of number ${number} did not come with the value.`);
  return kind === 'stream' ? incoming.stream() : incoming.signal();
}

/** In the order that it had. */
function rebuild(parent: object, replaced: ReadonlyMap<number, unknown>): void {
  const at = (i: number, value: unknown): unknown => (replaced.has(i) ? replaced.get(i) : value);
  if (types.isSet(parent)) {
    const items = [...parent];
    parent.clear();
    for (const [i, item] of items.entries()) parent.add(at(i, item));
  } else if (types.isMap(parent)) {
    const entries = [...parent];
    parent.clear();
    for (const [i, [key, value]] of entries.entries()) parent.set(at(2 * i, key), at(2 * i + 1, value));
  }
}

function restoreError(error: Error, name: string, code: string | number | null): void {
  if (name !== error.name) define(error, 'name', name, false);
  if (code !== null) define(error, 'code', code, true);
}

function define(target: object, key: string | number, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

function marksOf(value: unknown): Marks {
  const { errors, stands, places } = (value ?? {}) as Partial<Record<keyof Marks, unknown>>;
  if (!isList(errors, isErrorMark) || !isList(stands, isStand) || !isList(places, isPlace))
    throw new Error('The marks of a value are none.');
  return { errors, stands, places } as unknown as Marks;
}

function isList(value: unknown, is: (item: readonly unknown[]) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every((item) => Array.isArray(item) && is(item as unknown[]));
}

function isErrorMark([error, name, code]: readonly unknown[]): boolean {
  const isCode = code === null || typeof code === 'string' || typeof code === 'number';
  return types.isNativeError(error) && typeof name === 'string' && isCode;
}

function isStand([kind, first, second, third]: readonly unknown[]): boolean {
  if (kind === 'aborted') return true;
  if (kind === 'stream' || kind === 'signal') return typeof first === 'number';
  const isStack = third === null || typeof third === 'string';
  return kind === 'exception' && typeof first === 'string' && typeof second === 'string' && isStack;
}

function isPlace([parent, key, stand]: readonly unknown[]): boolean {
  const isKey = typeof key === 'string' || typeof key === 'number';
  return typeof parent === 'object' && isKey && typeof stand === 'number';
}
