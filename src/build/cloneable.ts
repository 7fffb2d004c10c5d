/** A value that structured clone refuses, and where it stands. */
interface Uncloneable {
  /** As one would write it in code, from the root: `components.shop.routes[0]`; empty for the root itself. */
  readonly path: string;
  /** `a function`, `a symbol`, … */
  readonly what: string;
}

/** Instances of these are cloned as they are; what is inside a Map or a Set is looked at too. */
const CLONED_WHOLE = [Date, RegExp, ArrayBuffer, Boolean, Number, String, BigInt];
/** Structured clone would refuse these, or would make empty objects of them. */
const REFUSED: readonly (readonly [new (...args: never[]) => object, string])[] = [
  [Promise, 'a promise that is not awaited'],
  [WeakMap, 'a WeakMap'],
  [WeakSet, 'a WeakSet'],
  [WeakRef, 'a WeakRef'],
];

/** The first value within `root` that cannot be cloned; null where all can. Cycles are no obstacle. */
export function findUncloneable(root: unknown): Uncloneable | null {
  const seen = new Set<object>();
  const waiting: { value: unknown; path: string }[] = [{ value: root, path: '' }];
  for (let i = 0; i < waiting.length; i++) {
    const { value, path } = waiting[i]!;
    if (typeof value === 'function')
      return { path, what: value.name === '' ? 'a function' : `the function ${value.name}` };
    if (typeof value === 'symbol') return { path, what: 'a symbol' };
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const refused = REFUSED.find(([kind]) => value instanceof kind);
    if (refused !== undefined) return { path, what: refused[1] };
    if (CLONED_WHOLE.some((kind) => value instanceof kind) || ArrayBuffer.isView(value)) continue;
    for (const [key, inner] of entriesOf(value)) waiting.push({ value: inner, path: path + key });
  }
  return null;
}

function entriesOf(value: object): [key: string, inner: unknown][] {
  if (Array.isArray(value)) return value.map((inner, i) => [`[${i}]`, inner]);
  if (value instanceof Map) {
    return [...value].flatMap(([key, inner], i) => [
      [`.key(${i})`, key] as [string, unknown],
      [`.get(${i})`, inner] as [string, unknown],
    ]);
  }
  if (value instanceof Set) return [...value].map((inner, i) => [`.value(${i})`, inner]);
  return Object.entries(value).map(([key, inner]) => [
    /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
    inner,
  ]);
}
