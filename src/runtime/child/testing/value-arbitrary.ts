import * as fc from 'fast-check';

/**
 * Values of every kind that structured clone knows, and of those that it refuses, as recipes: lists of nodes that refer to each
 * other, so that there are cycles and shared objects, and the same value can be made twice.
 */
export interface NodeRecipe {
  readonly kind: number;
  /** Other nodes, or primitives. */
  readonly refs: readonly number[];
  readonly n: number;
}

/** One value that was made of a recipe. */
export interface MadeValue {
  readonly value: unknown;
  /** How often each getter was called. */
  readonly calls: number[];
  /** What an error keeps beyond structured clone, by its message. */
  readonly errors: ReadonlyMap<string, { readonly name: string; readonly code: string | number | undefined }>;
}

type Make = (world: World, recipe: NodeRecipe, i: number) => unknown;
type Fill = (node: never, items: unknown[], recipe: NodeRecipe, world: World) => void;

interface World {
  readonly errors: Map<string, { name: string; code: string | number | undefined }>;
  readonly calls: number[];
  readonly buffers: ArrayBuffer[];
}

class Point {
  declare x: unknown;
  #secret = 1;
  get hidden(): number {
    return this.#secret;
  }
}
class OwnMap extends Map {}
class OwnList extends Array {}
class OwnError extends TypeError {
  override readonly name = 'OwnError';
}
class OwnTarget extends EventTarget {
  x = 1;
}

const PRIMITIVES = [
  0,
  -0,
  1.5,
  NaN,
  Infinity,
  '',
  'text',
  'ünï\u{1F600}',
  '\ud800',
  true,
  false,
  null,
  undefined,
  10n ** 30n,
  -1n,
  2 ** 40,
] as const;
const KEYS = ['a', 'b', 'a b', '1', '__proto__', 'constructor', 'length', '', 'then', 'toJSON'];

const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

function put(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

const fillRecord: Fill = (node: object, items, { n }) =>
  items.forEach((item, i) => put(node, KEYS[(n + i) % KEYS.length]!, item));
const fillList: Fill = (node: unknown[], items, { n }) => {
  for (const item of items) node.push(item);
  if (n % 5 === 0) node.length += 2;
  if (n % 7 === 0) put(node, 'index', items[0]);
};
const fillMap: Fill = (node: Map<unknown, unknown>, items) =>
  items.forEach((item, i) => Map.prototype.set.call(node, i % 2 === 0 ? item : i, items[i + 1]));
const fillSet: Fill = (node: Set<unknown>, items) => items.forEach((item) => node.add(item));
const nothing: Fill = () => undefined;

function bytes(length: number, n: number): ArrayBuffer {
  const buffer =
    n % 3 === 0 ? new ArrayBuffer(length, { maxByteLength: length * 2 }) : new ArrayBuffer(length);
  new Uint8Array(buffer).fill(n);
  return buffer;
}

function view({ buffers }: World, n: number): ArrayBufferView {
  const buffer = buffers[n % 4]!;
  const at = (n % 3) * 8;
  if (n % 11 === 0) return new DataView(buffer, at, 8);
  const type = VIEWS[n % VIEWS.length]!;
  return n % 2 === 0 ? new type(buffer, at) : new type(buffer, at, 1);
}

function error(world: World, i: number, n: number): Error {
  const message = `e${i}`;
  const made =
    n % 4 === 0
      ? new OwnError(message)
      : new [Error, RangeError, SyntaxError, AggregateError as unknown as ErrorConstructor][n % 4]!(
          ...((n % 4 === 3 ? [[], message] : [message]) as [string]),
        );
  if (n % 3 === 1) Object.assign(made, { name: 'ShopError' });
  // The same however deep it is made.
  made.stack = `${made.name}: ${message}\n    at shop (shop.js:${n}:1)`;
  const code = [undefined, 'E_SHOP', 7][n % 3];
  if (code !== undefined) Object.assign(made, { code });
  world.errors.set(message, { name: made.name, code });
  return made;
}

/** What may cross. */
const GOOD: readonly (readonly [Make, Fill])[] = [
  [() => ({}), fillRecord],
  [() => ({}), fillRecord],
  [() => [], fillList],
  [() => [], fillList],
  [() => new Map(), fillMap],
  [() => new Set(), fillSet],
  [() => Object.create(null) as object, fillRecord],
  [() => new Point(), fillRecord],
  [() => new OwnMap(), fillMap],
  [() => new OwnList(), fillList],
  [(_, { n }) => new Date(n % 4 === 0 ? NaN : n * 1e9), nothing],
  [(_, { n }) => Object.assign(/a(b)/giu, { lastIndex: n }), nothing],
  [(_, { n }) => Object([true, 5, 'boxed', 5n, -0][n % 5]), nothing],
  [({ buffers }, { n }) => buffers[n % 4], nothing],
  [(world, { n }) => view(world, n), nothing],
  [({ buffers }, { n }) => Buffer.from(buffers[n % 4]!, n % 9, 8), nothing],
  [(_, { n }) => Array.from({ length: 1_025 + n }, (__, i) => (n % 2 === 0 ? i : `${i}`)), nothing],
  [
    (world, { n }, i) => error(world, i, n),
    (node: Error, items) => {
      if (items.length > 1) Object.defineProperty(node, 'cause', { value: items[0], configurable: true });
    },
  ],
  [(_, { n }) => new DOMException(`d${n}`, ['AbortError', 'TimeoutError', 'Own'][n % 3]), nothing],
  [
    () => ({}),
    (node: object, items, _recipe, { calls }) =>
      items.forEach((item, i) => {
        const at = calls.push(0) - 1;
        const get = (): unknown => {
          calls[at]!++;
          return item;
        };
        Object.defineProperty(node, KEYS[i % KEYS.length]!, { get, enumerable: true });
      }),
  ],
  [
    () => ({}),
    (node: object, items, { n }) => {
      fillRecord(node as never, items, { kind: 0, refs: [], n }, null as never);
      Object.assign(node, { [Symbol('own')]: () => 1 });
      Object.defineProperty(node, 'hidden', { value: () => 1 });
    },
  ],
  [() => Object.create({ inherited: () => 1 }) as object, fillRecord],
];

/** Of {@link BAD}: what Node's structured clone makes `{}` of, where the standard refuses. */
export const NODE_ALONE_CLONES: ReadonlySet<number> = new Set([13, 14, 15, 16, 17]);

/** What structured clone refuses, or what cannot leave the process although it does not. */
const BAD: readonly (() => unknown)[] = [
  () => () => 1,
  () => Symbol('s'),
  () => Object(Symbol('s')) as object,
  () => new Proxy({}, {}),
  () => new Proxy([], {}),
  () => Promise.resolve(),
  () => new WeakMap(),
  () => new WeakSet(),
  () => new WeakRef({}),
  () => (function* () {})(),
  () => [][Symbol.iterator](),
  () => new Map().keys(),
  () => new Intl.NumberFormat(),
  () => new TextEncoder(),
  () => new EventTarget(),
  () => new OwnTarget(),
  () => new AbortController(),
  () => new Event('a'),
  () => new URL('http://a/'),
  () => new URLSearchParams('a=b'),
  () => new Headers(),
  () => new Request('http://a/'),
  () => new Response(''),
  () => new FormData(),
  () => new Blob(['a']),
  () => new File(['a'], 'a'),
  () => new WritableStream(),
  () => new TransformStream(),
  () => new SharedArrayBuffer(8),
  () => new Uint8Array(new SharedArrayBuffer(8)),
  () => new Error('x', { cause: () => 1 }),
  () =>
    (function (..._args: unknown[]) {
      // oxlint-disable-next-line prefer-rest-params
      return arguments;
    })(1),
];

const node = fc.record({
  kind: fc.nat(GOOD.length - 1),
  refs: fc.array(fc.nat(60), { maxLength: 6 }),
  n: fc.nat(1_000),
});

/** Nodes, and in one of eight something that is refused at a place of one of them. */
export const valueRecipes: fc.Arbitrary<{ nodes: NodeRecipe[]; bad: number }> = fc.record({
  nodes: fc.array(node, { minLength: 1, maxLength: 14 }),
  bad: fc.oneof({ weight: 7, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(BAD.length - 1) }),
});

export function makeValue({ nodes, bad }: { nodes: readonly NodeRecipe[]; bad: number }): MadeValue {
  const world: World = { errors: new Map(), calls: [], buffers: [0, 1, 2, 3].map((n) => bytes(32, n)) };
  const made = nodes.map((recipe, i) => GOOD[recipe.kind]![0](world, recipe, i));
  const refused = bad === -1 ? null : { value: BAD[bad]!() };
  for (const [i, recipe] of nodes.entries()) {
    const items = recipe.refs.map((ref) => {
      if (ref >= 55 && refused !== null) return refused.value;
      return ref % 3 === 0 ? PRIMITIVES[ref % PRIMITIVES.length] : made[(i + ref) % made.length];
    });
    GOOD[recipe.kind]![1](made[i] as never, items, recipe, world);
  }
  return { value: made[0], calls: world.calls, errors: world.errors };
}
