import { isIP, isIPv6 } from 'node:net';
import { addressesOf, type ClientView } from './forwarded.ts';
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts';

/**
 * Who sent a request, as limits tell clients apart: the last address of its chain that no trusted proxy has, for that is the last one that
 * somebody trusted vouches for. What stands before it the client may have written itself. Where all are trusted ones', the first;
 * where a proxy says no address, the proxy.
 *
 * @param machine those in front of all apps. @param app those that the app trusts besides; null: none.
 */
export function clientBehind(
  view: Pick<ClientView, 'chain'>,
  machine: TrustedProxies,
  app: TrustedProxies | null,
): string {
  const chain = addressesOf(view);
  let client = chain.at(-1)!;
  for (let i = chain.length - 2; i >= 0; i--) {
    if (!machine.trusts(client) && app?.trusts(client) !== true) break;
    const before = plainAddress(chain[i]!);
    if (isIP(before) === 0) break;
    client = before;
  }
  return clientOf(client);
}

/** An IPv6 client has a whole /64 to choose addresses from, which counts as one. */
export function clientOf(address: string): string {
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
