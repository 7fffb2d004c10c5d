import type { WireStream } from './stream.ts';

/** Streams with larger numbers are looked up in a Map: nobody's number may make an array of any length. */
const MAX_PLACES = 16 * 1024;

/**
 * The open streams of a connection, by number. An array and not a Map, since streams come and go with every request: see
 * `base/registry.ts` for what a Map does then.
 */
export class StreamTable {
  readonly #places: (WireStream | null)[] = [];
  readonly #beyond = new Map<number, WireStream>();

  get(id: number): WireStream | null {
    return (id < MAX_PLACES ? this.#places[id] : this.#beyond.get(id)) ?? null;
  }

  set(stream: WireStream): void {
    const { id } = stream;
    if (id >= MAX_PLACES) {
      this.#beyond.set(id, stream);
      return;
    }
    while (this.#places.length <= id) this.#places.push(null);
    this.#places[id] = stream;
  }

  /** @returns whether it was there. */
  delete(stream: WireStream): boolean {
    const { id } = stream;
    if (id >= MAX_PLACES) return this.#beyond.get(id) === stream && this.#beyond.delete(id);
    if (this.#places[id] !== stream) return false;
    this.#places[id] = null;
    return true;
  }

  /** All of them, which are then in it no more. */
  takeAll(): WireStream[] {
    const all = this.#places.filter((stream) => stream !== null);
    all.push(...this.#beyond.values());
    this.#places.length = 0;
    this.#beyond.clear();
    return all;
  }
}
