/**
 * Random numbers that differ between forks of one process. V8's generator and Node's caches are memory, which a fork
 * copies, so every child would draw the same; OpenSSL notices a fork by itself. What is copied is replaced here, before any
 * of the author's code can take hold of it, by sources that {@link forgetDraws} empties. What is not is counted all the same:
 * a library may keep a pool of what it drew while it was loaded.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import vm from 'node:vm';
import { forgetDrawn } from '../../base/ids.ts';

type Draw = (source: string) => void;

let onDraw: Draw | null = null;
const fill = crypto.randomFillSync.bind(crypto) as (bytes: Uint8Array) => Uint8Array;

/** Bytes drawn ahead for what takes few at a time. */
const pool = Buffer.alloc(4096);
let poolAt = pool.length;

/** State of xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it), 2^128 - 1 numbers until it repeats. */
const state = new Int32Array(4);
let seeded = false;

/** In a child: whatever was drawn ahead is its parent's. */
export function forgetDraws(): void {
  seeded = false;
  poolAt = pool.length;
  pool.fill(0);
  forgetDrawn();
}

/** Tells `draw` of every draw from now on, until it is given null. */
export function watchDraws(draw: Draw | null): void {
  onDraw = draw;
}

/** Puts the sources in the place of Node's. Once, in a root zygote. */
export function replaceRandomSources(): void {
  replace(Math, 'random', () => random);
  replace(crypto, 'randomUUID', (original) => (options?: unknown) => {
    if (options === undefined || isPlain(options)) return uuid(4);
    return original(options);
  });
  replace(crypto, 'randomUUIDv7', (original) => (options?: unknown) => {
    if (options === undefined || isPlain(options)) return uuid(7);
    return original(options);
  });
  replace(
    crypto,
    'randomInt',
    (original) => (min: unknown, max: unknown, callback: unknown) => randomInt(original, min, max, callback),
  );
  // crypto.getRandomValues goes through the Web's, below.
  for (const name of ['randomBytes', 'randomFill', 'randomFillSync'] as const) {
    replace(crypto, name, (original) => (...args: unknown[]) => {
      onDraw?.(`crypto.${name}`);
      return original(...args);
    });
  }
  const web = Object.getPrototypeOf(globalThis.crypto) as Record<string, Function>;
  for (const name of ['randomUUID', 'getRandomValues'] as const) {
    const original = web[name]!;
    Object.defineProperty(web, name, {
      ...Object.getOwnPropertyDescriptor(web, name),
      value: named(name, original.length, function (this: unknown, ...args: unknown[]): unknown {
        // The original knows whether it may be called on this, and says so in its own words.
        if (this !== globalThis.crypto) return Reflect.apply(original, this, args);
        if (name === 'randomUUID') return uuid(4);
        onDraw?.(`crypto.${name}`);
        return Reflect.apply(original, this, args);
      }),
    });
  }
  replaceInContexts();
  syncBuiltinESMExports();
}

/** Contexts made later have a Math of their own, seeded from memory that was copied too. */
function replaceInContexts(): void {
  const create = vm.createContext;
  const createContext = ((...args: Parameters<typeof create>) => {
    const context = create(...args);
    const theirs = vm.runInContext('Math', context) as Math;
    Object.defineProperty(theirs, 'random', { value: random, writable: true, configurable: true });
    return context;
  }) as typeof create;
  const made = (given: unknown, options: unknown): vm.Context => {
    const object = given as vm.Context | undefined;
    if (typeof object === 'object' && vm.isContext(object)) return object;
    const {
      contextName: name,
      contextOrigin: origin,
      contextCodeGeneration: codeGeneration,
      microtaskMode,
    } = (typeof options === 'object' ? (options ?? {}) : {}) as vm.RunningScriptInNewContextOptions;
    return createContext(object ?? {}, {
      ...(name !== undefined && { name }),
      ...(origin !== undefined && { origin }),
      ...(codeGeneration !== undefined && { codeGeneration }),
      ...(microtaskMode !== undefined && { microtaskMode }),
    });
  };
  const runInNew = vm.runInNewContext.bind(vm);
  const prototype = vm.Script.prototype as { runInNewContext: Function };
  const scriptRunInNew = prototype.runInNewContext;
  vm.createContext = createContext;
  vm.runInNewContext = (code, object, options) => runInNew(code, made(object, options), options) as unknown;
  prototype.runInNewContext = function (this: vm.Script, object: unknown, options: unknown) {
    return Reflect.apply(scriptRunInNew, this, [made(object, options), options]) as unknown;
  };
}

/** 53 random bits over 2^53, as V8's own. */
function random(): number {
  onDraw?.('Math.random');
  if (!seeded) seed();
  return ((next() >>> 5) * 0x400_0000 + (next() >>> 6)) / 0x20_0000_0000_0000;
}

function seed(): void {
  do fill(new Uint8Array(state.buffer));
  while (state[0] === 0 && state[1] === 0 && state[2] === 0 && state[3] === 0);
  seeded = true;
}

function next(): number {
  const s1 = state[1]!;
  const times5 = Math.imul(s1, 5);
  const result = Math.imul((times5 << 7) | (times5 >>> 25), 9);
  state[2]! ^= state[0]!;
  state[3]! ^= s1;
  state[1]! ^= state[2]!;
  state[0]! ^= state[3]!;
  state[2]! ^= s1 << 9;
  const s3 = state[3]!;
  state[3] = (s3 << 11) | (s3 >>> 21);
  return result;
}

/** @returns where in the pool `bytes` fresh ones lie. */
function take(bytes: number): number {
  if (poolAt + bytes > pool.length) {
    fill(pool);
    poolAt = 0;
  }
  const at = poolAt;
  poolAt += bytes;
  return at;
}

const uuidBytes = Buffer.alloc(16);

/** RFC 9562. */
function uuid(version: 4 | 7): string {
  onDraw?.(version === 4 ? 'crypto.randomUUID' : 'crypto.randomUUIDv7');
  const at = take(16);
  const b = uuidBytes;
  pool.copy(b, 0, at, at + 16);
  // Nobody who reads this memory later learns what was given out.
  pool.fill(0, at, at + 16);
  if (version === 7) b.writeUIntBE(Date.now(), 0, 6);
  b[6] = (b[6]! & 0x0f) | (version << 4);
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = b.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const RANDOM_BYTES = 6;
const RANDOM_LIMIT = 2 ** 48 - 1;

function randomInt(original: Function, ...args: [unknown, unknown, unknown]): unknown {
  const [first, second, third] = args;
  const onlyMax = second === undefined || typeof second === 'function';
  const [min, max, callback] = onlyMax ? [0, first, second] : [first, second, third];
  const usual =
    Number.isSafeInteger(min) &&
    Number.isSafeInteger(max) &&
    (max as number) > (min as number) &&
    (max as number) - (min as number) <= RANDOM_LIMIT &&
    (callback === undefined || typeof callback === 'function');
  // What is wrong with it the original says, before it draws.
  if (!usual) return Reflect.apply(original, undefined, args);
  onDraw?.('crypto.randomInt');
  const range = (max as number) - (min as number);
  const limit = RANDOM_LIMIT - (RANDOM_LIMIT % range);
  let drawn: number;
  do drawn = pool.readUIntBE(take(RANDOM_BYTES), RANDOM_BYTES);
  while (drawn >= limit);
  const value = (drawn % range) + (min as number);
  if (typeof callback !== 'function') return value;
  process.nextTick(callback, undefined, value);
  return undefined;
}

/** Options that ask for nothing but what is done anyway. */
function isPlain(options: unknown): boolean {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false;
  const { disableEntropyCache } = options as { disableEntropyCache?: unknown };
  return disableEntropyCache === undefined || typeof disableEntropyCache === 'boolean';
}

function replace(
  owner: object,
  name: string,
  make: (original: (...args: unknown[]) => unknown) => (...args: never[]) => unknown,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name)!;
  const original = ((owner as Record<string, unknown>)[name] as Function).bind(owner) as (
    ...args: unknown[]
  ) => unknown;
  const made = make(original);
  const value = named(name, original.length, made);
  const { enumerable, configurable } = descriptor;
  Object.defineProperty(owner, name, {
    value,
    enumerable: enumerable!,
    configurable: configurable!,
    writable: true,
  });
}

function named<F extends Function>(name: string, length: number, value: F): F {
  Object.defineProperty(value, 'name', { value: name, configurable: true });
  return Object.defineProperty(value, 'length', { value: length, configurable: true });
}
