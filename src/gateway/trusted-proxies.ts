import { BlockList, isIP } from 'node:net';
import { FulcrumError } from '../base/errors.ts';

/** The addresses whose word about the client is believed. */
export class TrustedProxies {
  readonly #list: BlockList | null;

  /** @param blocks addresses or CIDR blocks. Throws `config-invalid` for anything else. */
  constructor(blocks: readonly string[]) {
    this.#list = blocks.length === 0 ? null : new BlockList();
    for (const block of blocks) add(this.#list!, block);
  }

  trusts(address: string): boolean {
    if (this.#list === null) return false;
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }
}

/** An IPv4 address that came over an IPv6 socket, without the prefix that it wears there. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

function add(list: BlockList, block: string): void {
  const [address = '', bits, more] = block.split('/');
  const version = isIP(address);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const known = version !== 0 && more === undefined;
  if (known && bits === undefined) return list.addAddress(address, family);
  if (known && /^\d{1,3}$/.test(bits!) && Number(bits) <= (version === 4 ? 32 : 128)) {
    return list.addSubnet(address, Number(bits), family);
  }
  throw new FulcrumError(
    'config-invalid',
    `trustedProxies: '${block}' is neither an IP address nor a block such as 10.0.0.0/8.`,
  );
}
