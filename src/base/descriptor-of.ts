import type { Server, Socket } from 'node:net';

/** The descriptor of a socket; null where it has none, or this Node, which does not document where it keeps it, does so elsewhere. */
export function descriptorOf(socket: Socket | Server): number | null {
  const { _handle: handle } = socket as unknown as { _handle?: { readonly fd?: unknown } | null };
  const fd = handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : null;
}
