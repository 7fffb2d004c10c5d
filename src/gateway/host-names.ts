const MAX_REMEMBERED = 1_000;
const SHAPE = /^(?:[a-z0-9_][a-z0-9._~-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Tells the name to route by from a `Host` field. Remembers what it has seen, up to a bound: a server sees few hosts,
 * and whether one can stand in a URL at all is slow to find out (`999.999.999.999` cannot, and a component that builds a
 * URL from it would fail).
 */
export class HostNames {
  readonly #seen = new Map<string, string | null>();

  /** @returns the host in lower case, without port and closing dot; null where `host` is no host. */
  read(host: string): string | null {
    const known = this.#seen.get(host);
    if (known !== undefined) return known;
    const name = parse(host);
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.set(host, name);
    return name;
  }
}

function parse(host: string): string | null {
  if (!SHAPE.test(host) || !URL.canParse(`http://${host}/`)) return null;
  const end = host.lastIndexOf(':') > host.lastIndexOf(']') ? host.lastIndexOf(':') : host.length;
  const name = host.slice(0, end).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
