import { isIPv6 } from 'node:net';

/**
 * Whom an address stands for, where somebody is counted by it: of IPv6 its /64, which is what one customer is given to choose from, however
 * it is written; an IPv4 address in IPv6 is that one.
 */
export function clientOf(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address.split('%')[0]!);
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
