const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** A value that JSON cannot say without loss. */
class Unsayable extends Error {}

/**
 * `value` as JSON, or the reason why not, with the place. What JSON would turn into something else without a word (NaN into null, a Map into {}, an
 * instance into its bare fields) is refused. A member that is undefined is left out, and a Date becomes its ISO text, as ever.
 * Throws an error that says so, and what a getter or `toJSON` of the author's throws.
 */
export function eventJson(value: unknown): string {
  // Those that are being gone through, from the outermost in, each with the key that it was found by.
  const holders: object[] = [];
  const keys: string[] = [];
  return JSON.stringify(value ?? null, function (this: Record<string, unknown>, key, said: unknown) {
    while (holders.length > 0 && holders.at(-1) !== this) {
      holders.pop();
      keys.pop();
    }
    keys[holders.length] = holders.length === 0 ? '' : step(this, key);
    const what = fault(this, this[key], said);
    if (what !== null) throw new Unsayable(`its data${keys.join('')} is ${what}`);
    if (typeof said === 'object' && said !== null) {
      if (holders.includes(said))
        throw new Unsayable(`its data${keys.join('')} holds what it is itself held by`);
      holders.push(said);
    }
    return said;
  });
}

/** @param given what stands there. @param said what its `toJSON`, if it has one, has made of it. */
function fault(holder: unknown, given: unknown, said: unknown): string | null {
  if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer)
    return 'bytes, which can only be the whole of it; say them as text, in base64';
  switch (typeof said) {
    case 'string':
    case 'boolean':
      return null;
    case 'undefined':
      return Array.isArray(holder) ? 'undefined, which a list cannot hold; use null' : null;
    case 'number':
      return Number.isFinite(said) ? null : String(said);
    case 'bigint':
      return 'a BigInt; say it as text';
    case 'function':
    case 'symbol':
      return `a ${typeof said}`;
    case 'object': {
      if (said === null) return given instanceof Date ? 'a Date without a time' : null;
      const kind = Object.getPrototypeOf(said) as object | null;
      // An object of another realm has that one's Object as its kind, and nothing above.
      if (Array.isArray(said) || kind === null || Object.getPrototypeOf(kind) === null) return null;
      return `a ${kind.constructor.name || 'class instance'}; give it as a plain object or list`;
    }
  }
}

function step(holder: unknown, key: string): string {
  if (Array.isArray(holder)) return `[${key}]`;
  return IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
