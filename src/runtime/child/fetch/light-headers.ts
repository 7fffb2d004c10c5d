import { inspect } from 'node:util';
import { markAsUncloneable } from 'node:worker_threads';
import { NativeHeaders, standInFor, told, type HeadersInput } from './natives.ts';
import { PairIterator } from './pair-iterator.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** A value that needs no trimming and that every byte of may be sent. */
const PLAIN_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const SET_COOKIE = 'set-cookie';

type Method = 'append' | 'delete' | 'get' | 'has' | 'set' | 'forEach';

/**
 * `Headers` of the Fetch standard. Made from what came over the wire, and read only when somebody asks; whatever is not plain
 * (a value to be converted or trimmed, a name that is none) is left to Node's own, which knows what to throw.
 */
export class LightHeaders {
  declare readonly [Symbol.iterator]: () => IterableIterator<[string, string]>;
  /** What came over the wire, until it is asked for. */
  #raw: string | null = null;
  /** By lower-case name; repeated ones joined. */
  #values: Map<string, string> | null = null;
  #cookies: string[] = [];
  #sorted: [string, string][] | null = null;

  constructor(init?: HeadersInput) {
    markAsUncloneable(this);
    if (init === undefined) return;
    if (isPlainRecord(init)) {
      for (const name of Object.keys(init)) this.append(name, init[name]!);
    } else {
      // Converts and checks as the standard says, in its order.
      for (const [name, value] of new NativeHeaders(init)) this.#add(name, value);
    }
  }

  /** @param raw name, value, … with NUL between them, known to be sound. */
  static ofWire(raw: string): LightHeaders {
    const headers = new LightHeaders();
    headers.#raw = raw;
    return headers;
  }

  /** As HTTP carries them. */
  toRaw(): string[] {
    const raw: string[] = [];
    for (const [name, value] of this.#map()) raw.push(name, value);
    for (const cookie of this.#cookies) raw.push(SET_COOKIE, cookie);
    return raw;
  }

  append(name: string, value: string): void {
    if (arguments.length > 1 && isPlain(name, value)) this.#add(name.toLowerCase(), value);
    else for (const [lower, sound] of converted('append', arguments)) this.#add(lower, sound);
  }

  delete(name: string): void {
    const lower = (isName(name) ? name : nameOf('delete', arguments)).toLowerCase();
    this.#sorted = null;
    if (lower === SET_COOKIE) {
      this.#map();
      this.#cookies = [];
    } else {
      this.#map().delete(lower);
    }
  }

  get(name: string): string | null {
    const lower = (isName(name) ? name : nameOf('get', arguments)).toLowerCase();
    const value = this.#map().get(lower);
    if (value !== undefined) return value;
    return lower === SET_COOKIE && this.#cookies.length > 0 ? this.#cookies.join(', ') : null;
  }

  getSetCookie(): string[] {
    this.#map();
    return [...this.#cookies];
  }

  has(name: string): boolean {
    const lower = (isName(name) ? name : nameOf('has', arguments)).toLowerCase();
    return this.#map().has(lower) || (lower === SET_COOKIE && this.#cookies.length > 0);
  }

  set(name: string, value: string): void {
    if (arguments.length > 1 && isPlain(name, value)) this.#put(name.toLowerCase(), value);
    else for (const [lower, sound] of converted('set', arguments)) this.#put(lower, sound);
  }

  forEach(
    callback: (value: string, name: string, headers: LightHeaders) => void,
    thisArg: unknown = globalThis,
  ): void {
    if (typeof callback !== 'function') converted('forEach', arguments);
    for (const [name, value] of this.#iterate(asPair)) callback.call(thisArg, value, name, this);
  }

  entries(): IterableIterator<[string, string]> {
    return this.#iterate(asPair);
  }

  keys(): IterableIterator<string> {
    return this.#iterate(asName);
  }

  values(): IterableIterator<string> {
    return this.#iterate(asValue);
  }

  get [Symbol.toStringTag](): string {
    return 'Headers';
  }

  [inspect.custom](depth: number, options: object): string {
    return told(new NativeHeaders([...this.#pairs()]), depth, options);
  }

  #iterate<T>(pick: (pair: [string, string]) => T): PairIterator<T> {
    return new PairIterator(() => this.#pairs(), pick);
  }

  #add(lower: string, value: string): void {
    this.#sorted = null;
    const values = this.#map();
    if (lower === SET_COOKIE) {
      this.#cookies.push(value);
      return;
    }
    const before = values.get(lower);
    values.set(lower, before === undefined ? value : before + (lower === 'cookie' ? '; ' : ', ') + value);
  }

  #put(lower: string, value: string): void {
    this.#sorted = null;
    const values = this.#map();
    if (lower === SET_COOKIE) this.#cookies = [value];
    else values.set(lower, value);
  }

  #map(): Map<string, string> {
    if (this.#values !== null) return this.#values;
    this.#values = new Map();
    const raw = this.#raw === null || this.#raw === '' ? [] : this.#raw.split('\0');
    this.#raw = null;
    for (let i = 0; i + 1 < raw.length; i += 2) this.#add(raw[i]!.toLowerCase(), raw[i + 1]!);
    return this.#values;
  }

  /** By name, `Set-Cookie` one by one. */
  #pairs(): [string, string][] {
    if (this.#sorted !== null) return this.#sorted;
    const pairs = [...this.#map()];
    for (const cookie of this.#cookies) pairs.push([SET_COOKIE, cookie]);
    pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#sorted = pairs;
    return pairs;
  }
}

const entries = Object.getOwnPropertyDescriptor(LightHeaders.prototype, 'entries')!;
Object.defineProperty(LightHeaders.prototype, Symbol.iterator, { ...entries, enumerable: false });
standInFor(LightHeaders, NativeHeaders);

function asPair([name, value]: [string, string]): [string, string] {
  return [name, value];
}

function asName(pair: [string, string]): string {
  return pair[0];
}

function asValue(pair: [string, string]): string {
  return pair[1];
}

/** Headers of Node's own to which just this was done. Throws what Node throws. */
function converted(method: Method, args: Iterable<unknown>): Headers {
  const native = new NativeHeaders();
  (native[method] as (...args: unknown[]) => unknown).apply(native, [...args]);
  return native;
}

/** The first argument, made the name that it is none of yet. Throws what Node throws where it cannot be. */
function nameOf(method: Method, args: IArguments): string {
  const [first] = args as unknown as unknown[];
  const name = args.length === 0 || typeof first === 'string' ? first : ''.concat(first as string);
  if (isName(name)) return name;
  converted(method, args.length === 0 ? [] : [name]);
  throw new TypeError(`Headers.${method}: ${String(name)} is an invalid header name.`);
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && TOKEN.test(name);
}

function isPlain(name: unknown, value: unknown): boolean {
  return isName(name) && typeof value === 'string' && PLAIN_VALUE.test(value);
}

function isPlainRecord(init: unknown): init is Record<string, string> {
  if (typeof init !== 'object' || init === null) return false;
  const prototype: unknown = Object.getPrototypeOf(init);
  if ((prototype !== Object.prototype && prototype !== null) || Symbol.iterator in init) return false;
  return Object.getOwnPropertySymbols(init).length === 0;
}
