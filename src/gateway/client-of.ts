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

/** An IPv6 client has a whole /64 to choose addresses from, which counts as one, however it is written; an IPv4 address in IPv6 is that one. */
export function clientOf(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const groups = groupsOf(plain.split('%')[0]!);
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  }
  return groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':');
}

/** The eight groups of a valid IPv6 address (RFC 4291, 2.2), whose zeroes may be left out once, and whose end may be written as IPv4. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = numbersOf(head);
  if (tail === undefined) return groups;
  const behind = numbersOf(tail);
  return [...groups, ...Array<number>(8 - groups.length - behind.length).fill(0), ...behind];
}

function numbersOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16);
    const [a, b, c, d] = group.split('.').map(Number);
    return [(a! << 8) | b!, (c! << 8) | d!];
  });
}
