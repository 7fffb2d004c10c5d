import { Readable } from 'node:stream';
import { types } from 'node:util';
import { MAX_CALL_CHANNELS } from '../wire/limits.ts';
import { isJsonTaught, isTextual } from '../wire/text-value.ts';
import type { Outgoing } from './crossing.ts';
import {
  isAbortSignal,
  isDomException,
  isLeaf,
  isOverSharedMemory,
  isReadableStream,
  ownerOf,
  refusedKind,
} from './object-kinds.ts';
import { RefusedValue, stepOf } from './refused-value.ts';
import { cloned, ensurePlain, isPrimitive, likeness, nameOf, pick, put } from './snapshot-parts.ts';
import type { Marks, Stand } from './value-marks.ts';
import {
  memoryBytesOf,
  MOST_OBJECT_BYTES,
  mostBytesOf,
  mostBytesOfList,
  mostBytesOfText,
  mostBytesOfTexts,
} from './value-size.ts';

/** Values that are nested deeper are refused: the engine's own limit is what happens to be left of the stack, a little above. */
const MAX_VALUE_DEPTH = 1_000;
/** Of longer lists of nothing but numbers, texts and the like the engine makes the copy: telling whether they have other properties takes longer. */
const LONG_LIST = 1_024;

/** A value as it was at one moment: nothing in it is read from the author's objects again but what no code of theirs can see. */
export interface Snapshot {
  /** Plain objects, lists, Maps and Sets are new; what the engine clones whole is the author's own. */
  readonly value: unknown;
  /** Null where the engine's clone is all there is to it. */
  readonly marks: Marks | null;
  readonly passed: readonly Outgoing[];
  /** Nothing of the author's is in it: it is a clone already. */
  readonly isClone: boolean;
  /** JSON tells all of it: it is made of plain objects and lists, each of which it holds once, and of what {@link isTextual} is true of. */
  readonly isText: boolean;
  /** How many bytes it takes at most where it crosses to another process. Of a `clone`; 0 of `bytes`, which are counted. */
  readonly mostBytes: number;
}

/** Stands in a snapshot for what is put there when it has crossed. */
class Placeholder {
  readonly stand: number;

  constructor(stand: number) {
    this.stand = stand;
  }
}

/**
 * Takes a snapshot, which calls each getter once. Throws {@link RefusedValue} where structured clone would refuse, and for what only the
 * process can have: what a getter throws is thrown on.
 * @param use `bytes`: the engine's serialiser gets it, which leaves out what structured clone would; `clone`: it may be the result itself.
 */
export function snapshotOf(value: unknown, use: 'bytes' | 'clone'): Snapshot {
  const kind = typeof value;
  if (kind !== 'object' && kind !== 'function' && kind !== 'symbol')
    return {
      ...{ value, marks: null, passed: [], isClone: true },
      isText: value === undefined || isTextual(value),
      mostBytes: mostBytesOf(value),
    };
  return new Snapshooter(use).take(value);
}

class Snapshooter {
  readonly #use: 'bytes' | 'clone';
  readonly #seen = new Map<object, object>();
  readonly #passed: Outgoing[] = [];
  #marks: Marks | null = null;
  #isClone = true;
  #isText = true;
  #mostBytes = 0;

  constructor(use: 'bytes' | 'clone') {
    this.#use = use;
  }

  take(value: unknown): Snapshot {
    const copied = this.#child(value, 0);
    this.#place(null, '', copied);
    const isText = this.#isText && !isJsonTaught();
    const [marks, passed, isClone, mostBytes] = [this.#marks, this.#passed, this.#isClone, this.#mostBytes];
    return { value: copied, marks, passed, isClone, isText, mostBytes };
  }

  #child(value: unknown, depth: number): unknown {
    if (typeof value === 'object' && value !== null) return this.#object(value, depth);
    if (typeof value === 'function') throw new RefusedValue('a function');
    if (typeof value === 'symbol') throw new RefusedValue('a symbol');
    if (this.#use === 'clone') this.#mostBytes += mostBytesOf(value);
    return value;
  }

  #object(value: object, depth: number): object {
    const known = this.#seen.get(value);
    if (known !== undefined) {
      this.#isText = false;
      return this.#again(value, known);
    }
    this.#mostBytes += MOST_OBJECT_BYTES;
    if (depth > MAX_VALUE_DEPTH) throw new RefusedValue(`nested more than ${MAX_VALUE_DEPTH} deep`);
    if (types.isProxy(value)) throw new RefusedValue('a Proxy');
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (Array.isArray(value)) return this.#list(value, depth);
    // Its bytes would be listed one by one.
    if (ArrayBuffer.isView(value)) {
      this.#isText = false;
      return this.#leaf(value);
    }
    const keys = Object.keys(value);
    // One of the engine's own objects has no properties as a rule; what has some and a plain prototype is plain.
    if (keys.length > 0 && !types.isArgumentsObject(value)) {
      if (prototype === Object.prototype || prototype === null) return this.#record(value, keys, depth);
      if (ownerOf(prototype) === 'author') return this.#record(value, keys, depth);
    }
    return this.#special(value, prototype, keys, depth);
  }

  /** What stands for an object is the same each time; but a stream can be read by one only. */
  #again(value: object, known: object): object {
    if (
      known instanceof Placeholder &&
      this.#marks!.stands[known.stand]![0] === 'stream' &&
      isReadableStream(value)
    )
      throw new RefusedValue('a stream that is passed twice');
    return known;
  }

  #special(value: object, prototype: object | null, keys: readonly string[], depth: number): object {
    const wasText = this.#isText;
    this.#isText = false;
    if (isLeaf(value)) return this.#leaf(value);
    if (types.isMap(value)) return this.#map(value, depth);
    if (types.isSet(value)) return this.#set(value, depth);
    if (types.isNativeError(value)) return this.#error(value, depth);
    const refused = refusedKind(value);
    if (refused !== null) throw new RefusedValue(refused);
    if (prototype !== Object.prototype) {
      if (isReadableStream(value)) return this.#stream(value);
      if (isAbortSignal(value)) return this.#signal(value, depth);
      if (prototype !== null && ownerOf(prototype) === 'platform')
        throw new RefusedValue(`a ${nameOf(value)}`);
      ensurePlain(value);
    } else if (!types.isArgumentsObject(value)) this.#isText = wasText;
    return this.#record(value, keys, depth);
  }

  #leaf(value: object): object {
    if (types.isSymbolObject(value)) throw new RefusedValue('a symbol');
    if (ArrayBuffer.isView(value) && isOverSharedMemory(value)) throw new RefusedValue('shared memory');
    const isDate = types.isDate(value);
    // Of patterns and boxed values nobody knows: they are rare.
    this.#mostBytes += isDate ? MOST_OBJECT_BYTES : (memoryBytesOf(value) ?? Infinity);
    const copied = isDate ? new Date(Date.prototype.getTime.call(value)) : value;
    this.#isClone &&= isDate;
    this.#seen.set(value, copied);
    return copied;
  }

  #record(value: object, keys: readonly string[], depth: number): object {
    // Spreading is what the engine is fastest at; but it takes symbols along, which structured clone does not.
    const isClone = this.#use === 'clone';
    const hasSymbols = isClone && Object.getOwnPropertySymbols(value).length > 0;
    const copied: Record<string, unknown> = hasSymbols ? pick(value, keys) : { ...value };
    this.#seen.set(value, copied);
    let at = '';
    try {
      for (const key of keys) {
        const item = copied[key];
        if (isClone) this.#mostBytes += mostBytesOfText(key);
        if (isPrimitive(item)) {
          this.#isText &&= isTextual(item);
          if (isClone) this.#mostBytes += mostBytesOf(item);
          continue;
        }
        at = key;
        this.#property(copied, key, item, depth);
      }
    } catch (error) {
      throw inside(error, stepOf(at));
    }
    return copied;
  }

  #property(copied: Record<string, unknown>, key: string, item: unknown, depth: number): void {
    // What a getter has taken away meanwhile is read from a prototype, if at all.
    if ((key === '__proto__' || typeof item === 'function') && !Object.hasOwn(copied, key)) return;
    const child = this.#child(item, depth + 1);
    if (key === '__proto__') Object.defineProperty(copied, key, { value: child });
    else copied[key] = child;
    this.#place(copied, key, child);
  }

  #list(value: readonly unknown[], depth: number): object {
    const { length } = value;
    const isFlat = Array.prototype.every.call(value, isPrimitive);
    if (isFlat && length > LONG_LIST) {
      this.#isText = false;
      // Whatever else it has is refused by this; but it is the original that the serialiser is quick with.
      const copied = cloned(value);
      if (this.#use === 'bytes') return value;
      this.#mostBytes += mostBytesOfList(copied);
      this.#seen.set(value, copied);
      return copied;
    }
    const keys = Object.keys(value);
    const isDense =
      keys.length === length &&
      (length === 0 || keys[length - 1] === String(length - 1)) &&
      Object.getPrototypeOf(value) === Array.prototype;
    if (isFlat && isDense && this.#use === 'bytes') {
      this.#isText &&= value.every(isTextual);
      this.#seen.set(value, value);
      return value;
    }
    const copied: unknown[] = isDense
      ? Array.prototype.slice.call(value)
      : Array.from<unknown>({ length: 0 });
    copied.length = length;
    // Where most of it are holes each index is written.
    if (!isDense) this.#mostBytes += keys.length * MOST_OBJECT_BYTES;
    this.#isText &&= isDense;
    this.#seen.set(value, copied);
    let at = '';
    try {
      for (let i = 0; i < keys.length; i++) {
        const key = (at = keys[i]!);
        const item = isDense ? copied[i] : (value as unknown as Record<string, unknown>)[key];
        if (isDense && isPrimitive(item)) {
          this.#isText &&= isTextual(item);
          if (this.#use === 'clone') this.#mostBytes += mostBytesOf(item);
          continue;
        }
        const child = this.#child(item, depth + 1);
        if (isDense) copied[i] = child;
        else put(copied, key, child);
        this.#place(copied, key, child);
      }
    } catch (error) {
      throw inside(error, /^\d+$/.test(at) ? `[${at}]` : stepOf(at));
    }
    return copied;
  }

  #map(value: Map<unknown, unknown>, depth: number): object {
    const copied = new Map<unknown, unknown>();
    this.#seen.set(value, copied);
    const entries: [unknown, unknown][] = [];
    Map.prototype.forEach.call(value, (item, key) => entries.push([key, item]));
    for (const [i, entry] of entries.entries()) {
      const [key, item] = [
        this.#within(entry[0], '.keys()', depth),
        this.#within(entry[1], '.get(…)', depth),
      ];
      copied.set(key, item);
      this.#place(copied, 2 * i, key);
      this.#place(copied, 2 * i + 1, item);
    }
    return copied;
  }

  #set(value: Set<unknown>, depth: number): object {
    const copied = new Set<unknown>();
    this.#seen.set(value, copied);
    const items: unknown[] = [];
    Set.prototype.forEach.call(value, (item) => items.push(item));
    for (const [i, item] of items.entries()) {
      const child = this.#within(item, '.values()', depth);
      copied.add(child);
      this.#place(copied, i, child);
    }
    return copied;
  }

  #within(value: unknown, step: string, depth: number): unknown {
    try {
      return this.#child(value, depth + 1);
    } catch (error) {
      throw inside(error, step);
    }
  }

  #error(value: Error, depth: number): object {
    if (isDomException(value)) {
      const { name, message, stack } = value;
      this.#mostBytes += mostBytesOfTexts(name, message, stack);
      return this.#stand(value, ['exception', name, message, typeof stack === 'string' ? stack : null]);
    }
    const { name, code } = value as { name: unknown; code?: unknown };
    const cause = Object.getOwnPropertyDescriptor(value, 'cause');
    const deeper = cause !== undefined && typeof cause.value === 'object' && cause.value !== null;
    const isOpaque = typeof cause?.value === 'function' || typeof cause?.value === 'symbol';
    if (isOpaque) throw new RefusedValue(`a ${typeof cause.value}`).within('.cause');
    this.#isClone = false;
    this.#mostBytes += mostBytesOfTexts(String(name), value.message, value.stack, code);
    if (cause !== undefined && !deeper) this.#mostBytes += mostBytesOf(cause.value);
    const copied = deeper ? likeness(value) : value;
    this.#seen.set(value, copied);
    const kept = typeof code === 'string' || typeof code === 'number' ? code : null;
    this.#marking().errors.push([copied, String(name), kept]);
    if (!deeper) return copied;
    const child = this.#within(cause.value, '.cause', depth);
    Object.defineProperty(copied, 'cause', { value: child, configurable: true, writable: true });
    this.#place(copied, 'cause', child);
    return copied;
  }

  #stream(value: ReadableStream): object {
    if (value.locked) throw new RefusedValue('a stream that somebody else reads (it is locked)');
    if (Readable.isDisturbed(value)) throw new RefusedValue('a stream that was read or cancelled before');
    return this.#stand(value, ['stream', this.#pass({ kind: 'stream', stream: value })]);
  }

  #signal(value: AbortSignal, depth: number): object {
    if (!value.aborted) return this.#stand(value, ['signal', this.#pass({ kind: 'signal', signal: value })]);
    const stand: ['aborted', unknown] = ['aborted', null];
    const placeholder = this.#stand(value, stand);
    stand[1] = this.#within(value.reason, '.reason', depth);
    this.#place(stand, 1, stand[1]);
    return placeholder;
  }

  #pass(outgoing: Outgoing): number {
    if (this.#passed.length === MAX_CALL_CHANNELS)
      throw new RefusedValue(
        `one stream or signal more than the ${MAX_CALL_CHANNELS} that may be passed at a time`,
      );
    return this.#passed.push(outgoing) - 1;
  }

  #stand(value: object, stand: Stand): object {
    const placeholder = new Placeholder(this.#marking().stands.push(stand) - 1);
    this.#isClone = false;
    this.#seen.set(value, placeholder);
    return placeholder;
  }

  #place(parent: object | null, key: string | number, child: unknown): void {
    if (child instanceof Placeholder) this.#marks!.places.push([parent, key, child.stand]);
  }

  #marking(): Marks {
    return (this.#marks ??= { errors: [], stands: [], places: [] });
  }
}

/** `error`, where it is a refusal, as one of the place that `step` leads to. */
function inside(error: unknown, step: string): unknown {
  return error instanceof RefusedValue ? error.within(step) : error;
}
