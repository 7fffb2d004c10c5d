import type { Route } from '../model/app.ts';

export interface RouterEntry<T> {
  readonly route: Pick<Route, 'host' | 'path'>;
  readonly value: T;
}

/**
 * Finds what a request is for. The order, from first to last: its own host before `*.its.domain` before no host; an
 * exact path before a prefix; the longer prefix before the shorter. Of two entries with the same route the first counts
 * (the config refuses such an app). Built once; a look-up costs one step per path segment, however many routes there are.
 */
export class Router<T> {
  readonly #byHost = new Map<string, PathTable<T>>();
  /** Keyed by what follows `*.`. */
  readonly #byDomain = new Map<string, PathTable<T>>();
  readonly #anyHost = new PathTable<T>();

  constructor(entries: Iterable<RouterEntry<T>>) {
    for (const { route, value } of entries) this.#tableFor(route.host).add(route.path, value);
  }

  /**
   * @param host lower case, without port.
   * @param path as in the request line, without query.
   */
  match(host: string, path: string): T | null {
    const own = this.#byHost.get(host)?.match(path);
    if (own !== undefined) return own;
    if (this.#byDomain.size > 0) {
      const dot = host.indexOf('.');
      const wild = dot > 0 ? this.#byDomain.get(host.slice(dot + 1))?.match(path) : undefined;
      if (wild !== undefined) return wild;
    }
    return this.#anyHost.match(path) ?? null;
  }

  #tableFor(host: string | null): PathTable<T> {
    if (host === null) return this.#anyHost;
    const name = host.toLowerCase();
    const wild = name.startsWith('*.');
    const tables = wild ? this.#byDomain : this.#byHost;
    const key = wild ? name.slice(2) : name;
    let table = tables.get(key);
    if (table === undefined) tables.set(key, (table = new PathTable()));
    return table;
  }
}

interface Node<T> {
  value: T | undefined;
  children: Map<string, Node<T>> | null;
}

class PathTable<T> {
  readonly #exact = new Map<string, T>();
  /** A prefix's segments lead to its node; `/*` is the root. */
  readonly #root: Node<T> = { value: undefined, children: null };

  add(pattern: string, value: T): void {
    const path = encodedPath(pattern);
    if (!path.endsWith('/*')) {
      if (!this.#exact.has(path)) this.#exact.set(path, value);
      return;
    }
    let node = this.#root;
    const segments = path.slice(0, -2).split('/').slice(1);
    for (const segment of segments) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) node.children.set(segment, (child = { value: undefined, children: null }));
      node = child;
    }
    node.value ??= value;
  }

  match(path: string): T | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    if (path.charCodeAt(0) !== 47 /* / */) return undefined;
    let node: Node<T> | undefined = this.#root;
    let best = node.value;
    let start = 1;
    while (node.children !== null && start <= path.length) {
      const slash = path.indexOf('/', start);
      const end = slash === -1 ? path.length : slash;
      node = node.children.get(path.slice(start, end));
      if (node === undefined) break;
      if (node.value !== undefined) best = node.value;
      start = end + 1;
    }
    return best;
  }
}

/** A route's path as clients send it: what lies outside ASCII percent-encoded. */
export function encodedPath(pattern: string): string {
  return pattern.replaceAll(/[^\u0021-\u007e]+/gu, (text) => encodeURIComponent(text));
}
