/** Finds what belongs to a server name: the name itself before `*.its.domain` before the first of all. */
export class NameTable<T> {
  readonly #byName = new Map<string, T>();
  readonly #first: T;

  /** @param entries at least one; names in lower case, `*.` stands for one label. Of two with the same name the first counts. */
  constructor(entries: readonly { readonly names: readonly string[]; readonly value: T }[]) {
    this.#first = entries[0]!.value;
    for (const { names, value } of entries) {
      for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, value);
    }
  }

  get first(): T {
    return this.#first;
  }

  /** @param name as the client sent it (RFC 6066, 3), in any letter case. */
  find(name: string): T {
    const lower = name.toLowerCase();
    const own = this.#byName.get(lower);
    if (own !== undefined) return own;
    const dot = lower.indexOf('.');
    return (dot > 0 ? this.#byName.get(`*${lower.slice(dot)}`) : undefined) ?? this.#first;
  }
}
