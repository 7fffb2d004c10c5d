import { Socket } from 'node:net';
import { closeDescriptor, pipe, socketPair } from '../native/descriptors.ts';
import { widenSendBuffer } from '../native/socket-buffer.ts';

/** What a fork is born with: its wire and its output, the server's ends open and its own still to be sent to it. */
export interface ForkEnds {
  /** The server's end of the wire, a descriptor: whoever takes it closes it. */
  takeWire(): number;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** Gives away the fork's own: wire, stdout, stderr. Whoever takes them closes them. */
  take(): readonly [number, number, number];
  /** Closes all, where no fork comes of it. */
  drop(): void;
}

type Ends = readonly [number, number];

/** Throws {@link NativeError} `EMFILE` and the like where the system has no room. */
export function makeForkEnds(): ForkEnds {
  const made: number[] = [];
  const keep = <T extends readonly number[]>(descriptors: T): T => {
    made.push(...descriptors);
    return descriptors;
  };
  let pairs: readonly (readonly [number, number])[];
  try {
    pairs = [keep(socketPair()), keep(pipe()), keep(pipe())];
  } catch (error) {
    made.forEach(closeDescriptor);
    throw error;
  }
  const [[server, child], [outRead, outWrite], [errRead, errWrite]] = pairs as [Ends, Ends, Ends];
  widenSendBuffer(server);
  widenSendBuffer(child);
  const stdout = new Socket({ fd: outRead, readable: true, writable: false });
  const stderr = new Socket({ fd: errRead, readable: true, writable: false });
  let wire: number | null = server;
  let own: readonly [number, number, number] | null = [child, outWrite, errWrite];
  return {
    takeWire: () => {
      const taken = wire!;
      wire = null;
      return taken;
    },
    stdout,
    stderr,
    take: () => {
      const taken = own!;
      own = null;
      return taken;
    },
    drop: () => {
      for (const end of [stdout, stderr]) end.destroy();
      if (wire !== null) closeDescriptor(wire);
      wire = null;
      own?.forEach(closeDescriptor);
      own = null;
    },
  };
}
