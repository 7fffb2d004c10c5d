/** Deeper values are looked at no further. */
const MAX_DEPTH = 64;

/** Every error in `value`, each once, in an order that is the same for a value and its clone. */
export function errorsIn(value: unknown): Error[] {
  const errors: Error[] = [];
  // Most arguments hold no object at all.
  if (typeof value === 'object' && value !== null) collect(value, new Set(), 0, errors);
  return errors;
}

function collect(value: unknown, seen: Set<object>, depth: number, errors: Error[]): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || seen.has(value)) return;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date) return;
  seen.add(value);
  if (value instanceof Error) {
    errors.push(value);
    collect(value.cause, seen, depth + 1, errors);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, seen, depth + 1, errors);
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      collect(key, seen, depth + 1, errors);
      collect(item, seen, depth + 1, errors);
    }
  } else if (value instanceof Set) {
    for (const item of value) collect(item, seen, depth + 1, errors);
  } else {
    for (const key of Object.keys(value))
      collect((value as Record<string, unknown>)[key], seen, depth + 1, errors);
  }
}

/** Where in `value` the first thing is that structured clone refuses: `.items[2].onClick`; null where none is found. */
export function uncloneablePath(value: unknown): string | null {
  try {
    return find(value, '', new Set(), 0);
  } catch {
    return null; // A getter of the author's threw.
  }
}

function find(value: unknown, path: string, seen: Set<object>, depth: number): string | null {
  if (typeof value === 'function' || typeof value === 'symbol') return path;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || seen.has(value)) return null;
  seen.add(value);
  if (
    value instanceof Promise ||
    value instanceof WeakMap ||
    value instanceof WeakSet ||
    value instanceof WeakRef
  ) {
    return path;
  }
  if (value instanceof Map) {
    for (const [key, item] of value) {
      const found =
        find(key, `${path}.keys()`, seen, depth + 1) ?? find(item, `${path}.get(…)`, seen, depth + 1);
      if (found !== null) return found;
    }
    return null;
  }
  if (value instanceof Set) {
    for (const item of value) {
      const found = find(item, `${path}.values()`, seen, depth + 1);
      if (found !== null) return found;
    }
    return null;
  }
  for (const key of Object.keys(value)) {
    const step = Array.isArray(value)
      ? `[${key}]`
      : /^[A-Za-z_$][\w$]*$/.test(key)
        ? `.${key}`
        : `[${JSON.stringify(key)}]`;
    const found = find((value as Record<string, unknown>)[key], path + step, seen, depth + 1);
    if (found !== null) return found;
  }
  return null;
}
