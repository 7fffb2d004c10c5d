import { isIP } from 'node:net';
import { clientOf } from '../base/client-of.ts';
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
