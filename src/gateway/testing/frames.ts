import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';

/** Types of frames (RFC 9113, 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const GOAWAY_AND_CODE_BYTES = 8;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A client of HTTP/2 that writes frames as it is told, good or bad. */
export class FrameClient {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<unknown>;
  #rest = Buffer.alloc(0);
  #waiters: (() => void)[] = [];

  static async open(port: number, ca: string): Promise<FrameClient> {
    const socket = connect({ port, host: '127.0.0.1', ca, servername: 'a.test', ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    const client = new FrameClient(socket);
    socket.write(PREFACE);
    client.write(FRAME.settings, 0, 0);
    return client;
  }

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => void socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.once('close', () => this.#wake());
  }

  write(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): boolean {
    return this.socket.write(frame(type, flags, stream, payload));
  }

  /** Waits for a frame that `wanted` says yes to; null where the connection ends before. */
  async until(wanted: (frame: Frame) => boolean): Promise<Frame | null> {
    for (;;) {
      const found = this.frames.find(wanted);
      if (found !== undefined) return found;
      if (this.socket.destroyed) return null;
      await new Promise<void>((resolve) => void this.#waiters.push(resolve));
    }
  }

  /** The code of the GOAWAY that ends the connection; null where there was none before its end. */
  async goaway(): Promise<number | null> {
    const last = await this.until(
      ({ type, payload }) => type === FRAME.goaway && payload.readUInt32BE(4) !== 0,
    );
    return last === null ? null : last.payload.readUInt32BE(4);
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + length) break;
      this.frames.push({
        type: this.#rest[3]!,
        flags: this.#rest[4]!,
        stream: this.#rest.readUInt32BE(5) & 0x7fff_ffff,
        payload: this.#rest.subarray(9, 9 + length),
      });
      this.#rest = this.#rest.subarray(9 + length);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields as HPACK writes those that are in no table (RFC 7541, 6.2.2), each shorter than 127 bytes. */
export function block(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    parts.push(Buffer.of(0));
    for (const text of [fields[i]!, fields[i + 1]!]) {
      const bytes = Buffer.from(text, 'latin1');
      parts.push(Buffer.of(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Which stream a GOAWAY names as the last. */
export function lastStreamOf({ payload }: Frame): number {
  if (payload.length < GOAWAY_AND_CODE_BYTES) throw new Error('The frame is no GOAWAY.');
  return payload.readUInt32BE(0) & 0x7fff_ffff;
}
