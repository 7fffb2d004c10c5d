import { Socket } from 'node:net';
import { WireConnection, type ConnectionOptions } from '../wire/connection.ts';
import { MAX_FRAME_BYTES, MAX_INSTANCE_CHANNELS, MAX_INSTANCE_STREAMS } from '../wire/limits.ts';

/**
 * What is read is dealt with before anything else is, so that all connections of a process share it. Its forks inherit it, and of its
 * pages each gets only those that it reads into. A read is a write to the client, so that a short one makes long answers dear.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);

/** An end of the wire over a socket that was connected before its owner was forked: no greeting is needed. */
export function wireOver(
  descriptor: number,
  options: Pick<ConnectionOptions, 'side' | 'clock' | 'handler'>,
): WireConnection {
  const onread = {
    buffer: readBuffer,
    callback: (length: number): boolean => {
      connection.receive(readBuffer.subarray(0, length));
      return true;
    },
  };
  const connection = new WireConnection({
    ...options,
    socket: new Socket({ fd: descriptor, readable: true, writable: true, onread }),
    adopts: true,
    maxPeerStreams:
      options.side === 'server' ? MAX_INSTANCE_STREAMS + MAX_INSTANCE_CHANNELS : Number.MAX_SAFE_INTEGER,
    maxFrameBytes: MAX_FRAME_BYTES,
  });
  return connection;
}
