import { isIPv6 } from 'node:net';
import { plainAddress } from './trusted-proxies.ts';

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

function clientOf(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups.slice(0, 4).join(':');
}
