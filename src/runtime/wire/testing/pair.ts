import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../base/clock.ts';
import { WireConnection, type ConnectionHandler } from '../connection.ts';
import { MAX_FRAME_BYTES } from '../limits.ts';
import type { StreamHandler, WireStream } from '../stream.ts';

interface Ends {
  after(work: () => Promise<void>): void;
}

/** Two ends of a Unix socket. */
export async function socketPair(ends: Ends): Promise<[Socket, Socket]> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-wire-'));
  const path = join(folder, 's');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect(path);
  const [far] = await accepted;
  for (const socket of [near, far]) socket.on('error', () => undefined);
  ends.after(async () => {
    near.destroy();
    far.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true });
  });
  return [near, far];
}

export function connectionOver(
  socket: Socket,
  side: 'server' | 'instance',
  handler: Partial<ConnectionHandler> = {},
): WireConnection {
  return new WireConnection({
    socket,
    side,
    clock: systemClock,
    handler: { control: () => undefined, opened: () => undefined, ...handler },
    maxPeerStreams: 256,
    maxFrameBytes: MAX_FRAME_BYTES,
  });
}

/** Does nothing on its own. */
export function handle(stream: WireStream, handler: Partial<StreamHandler> = {}): void {
  stream.handler = {
    context: null,
    frame: () => undefined,
    data: () => undefined,
    drained: () => undefined,
    stopped: () => undefined,
    lost: () => undefined,
    ...handler,
  };
}
