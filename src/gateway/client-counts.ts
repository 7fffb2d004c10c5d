import { clientOf } from '../base/client-of.ts';

/** How many connections each client has open. An IPv6 client has a whole /64 to choose addresses from, which counts as one. */
export class ClientCounts {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  mayEnter(address: string): boolean {
    return (this.#counts.get(clientOf(address)) ?? 0) < this.#most;
  }

  enter(address: string): void {
    const client = clientOf(address);
    this.#counts.set(client, (this.#counts.get(client) ?? 0) + 1);
  }

  leave(address: string): void {
    const client = clientOf(address);
    const left = (this.#counts.get(client) ?? 0) - 1;
    if (left > 0) this.#counts.set(client, left);
    else this.#counts.delete(client);
  }
}
