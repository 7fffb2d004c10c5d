import { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { closeDescriptor, sendWith } from '../native/descriptors.ts';
import { encodeMessage, MessageParser, readReport, type Order, type Report } from './orders.ts';

/** Before a socket that took nothing is tried again. Orders are small, and a zygote that lives reads them at once. */
const RETRY_MS = 1;
/** Orders that may wait. A zygote that reads none of so many hangs. */
const MAX_WAITING = 1_000;

interface Waiting {
  bytes: Uint8Array;
  descriptors: readonly number[];
}

/** The server's end of a zygote's control socket. */
export class ZygoteSocket {
  /** Resolves when the zygote has ended, or has said what it may not. */
  readonly closed: Promise<void>;
  readonly #descriptor: number;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #reports = new MessageParser<Report>();
  #waiting: Waiting[] = [];
  #state: 'open' | 'closed' = 'open';

  constructor(descriptor: number, clock: Clock, onReport: (report: Report) => void) {
    this.#descriptor = descriptor;
    this.#clock = clock;
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: true });
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#end();
        resolve();
      });
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        for (const { message } of this.#reports.push(chunk)) onReport(readReport(message));
      } catch {
        // Whatever it is, it is no zygote's.
        this.#socket.destroy();
      }
    });
  }

  /** Sends `order` with `descriptors`, which are closed here in any case. */
  send(order: Order, descriptors: readonly number[] = []): void {
    if (this.#state === 'closed' || this.#waiting.length >= MAX_WAITING) {
      descriptors.forEach(closeDescriptor);
      this.close();
      return;
    }
    this.#waiting.push({ bytes: encodeMessage(order, descriptors.length), descriptors });
    if (this.#waiting.length === 1) this.#pump();
  }

  close(): void {
    this.#socket.destroy();
  }

  #pump(): void {
    while (this.#state === 'open' && this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      let sent: number;
      try {
        sent = sendWith(this.#descriptor, first.bytes, first.descriptors);
      } catch {
        // It has gone; the socket's end says so to everybody.
        this.#socket.destroy();
        return;
      }
      if (sent === 0) {
        this.#clock.after(RETRY_MS, () => this.#pump());
        return;
      }
      first.descriptors.forEach(closeDescriptor);
      first.descriptors = [];
      first.bytes = first.bytes.subarray(sent);
      if (first.bytes.length === 0) this.#waiting.shift();
    }
  }

  #end(): void {
    this.#state = 'closed';
    for (const { descriptors } of this.#waiting) descriptors.forEach(closeDescriptor);
    this.#waiting = [];
  }
}
