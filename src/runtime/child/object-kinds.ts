import { types } from 'node:util';

/**
 * Whose a class is. Of objects of the author's classes structured clone takes the properties and nothing else. Of the language's nobody but the
 * engine knows. Those of the platform stay in their process: the standard refuses all that it does not name, where Node makes `{}` of some.
 */
export type ClassOwner = 'author' | 'language' | 'platform';

/** By prototype. */
const owners = new WeakMap<object, ClassOwner>();
/** What is global before any code of an author's has run. */
const GLOBAL: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(globalThis));

/** Whose the class is that objects with this prototype are of: the first in the chain that is not the author's decides. */
export function ownerOf(prototype: object): ClassOwner {
  let known = owners.get(prototype);
  if (known === undefined) {
    known = 'author';
    let at: object | null = prototype;
    while (at !== null && at !== Object.prototype && known === 'author') {
      known = ownerOfOne(at);
      at = Object.getPrototypeOf(at) as object | null;
    }
    owners.set(prototype, known);
  }
  return known;
}

function ownerOfOne(prototype: object): ClassOwner {
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof made !== 'function') return 'author';
  if (Function.prototype.toString.call(made).includes('[native code]')) return 'language';
  const { name } = made;
  return GLOBAL.has(name) && (globalThis as Record<string, unknown>)[name] === made ? 'platform' : 'author';
}

/** What structured clone refuses in any case: `a Promise`; null of anything else. */
export function refusedKind(value: object): string | null {
  if (types.isProxy(value)) return 'a Proxy';
  if (types.isPromise(value)) return 'a Promise';
  if (types.isWeakMap(value)) return 'a WeakMap';
  if (types.isWeakSet(value)) return 'a WeakSet';
  if (types.isSharedArrayBuffer(value)) return 'shared memory';
  if (types.isArgumentsObject(value)) return 'an arguments object';
  if (types.isGeneratorObject(value)) return 'a generator';
  if (types.isModuleNamespaceObject(value)) return "a module's namespace";
  if (types.isMapIterator(value) || types.isSetIterator(value)) return 'an iterator';
  if (types.isSymbolObject(value)) return 'a symbol';
  return null;
}

/** Whether the engine itself clones it whole, with nothing in it that we would have to look at. */
export function isLeaf(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isArrayBuffer(value) ||
    ArrayBuffer.isView(value) ||
    types.isBoxedPrimitive(value)
  );
}

const typedBuffer = getter(Object.getPrototypeOf(Uint8Array.prototype) as object, 'buffer');
const dataViewBuffer = getter(DataView.prototype, 'buffer');

export function isOverSharedMemory(view: object): boolean {
  const buffer = types.isDataView(view) ? dataViewBuffer(view) : typedBuffer(view);
  return types.isSharedArrayBuffer(buffer);
}

/** One of the platform's own streams, whatever anybody has made of its properties. */
export function isReadableStream(value: object): value is ReadableStream {
  return isBranded(value, 'ReadableStream', 'locked');
}

export function isAbortSignal(value: object): value is AbortSignal {
  return isBranded(value, 'AbortSignal', 'aborted');
}

export function isDomException(value: object): value is DOMException {
  return isBranded(value, 'DOMException', 'code');
}

/** The classes are loaded only where somebody uses them: an object that has another tag is none of them. */
function isBranded(
  value: object,
  name: 'ReadableStream' | 'AbortSignal' | 'DOMException',
  key: string,
): boolean {
  if (!(value instanceof globalThis[name])) return false;
  try {
    getter(globalThis[name].prototype, key)(value);
    return true;
  } catch {
    return false;
  }
}

function getter(prototype: object, key: string): (of: object) => unknown {
  const property = Object.getOwnPropertyDescriptor(prototype, key)!;
  return (of) => property.get!.call(of) as unknown;
}
