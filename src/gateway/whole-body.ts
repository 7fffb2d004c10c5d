import { FulcrumError } from '../base/errors.ts';
import { bodyOf } from './arriving-body.ts';
import type { ByteRoom } from './byte-room.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';
import type { RequestStream } from './request-stream.ts';

export interface WholeBodyOptions {
  readonly parts: GatewayParts;
  readonly stream: RequestStream;
  readonly exchange: Exchange;
  readonly limitBytes: number;
  /** What whoever sends more is told. */
  readonly tooLarge: (limitBytes: number) => FulcrumError;
}

/**
 * Reads the body of a request whole, and gives it to `use`, for as long as which its bytes count as memory that is taken. Rejects as `use`
 * does; with `body-too-large`, with `overloaded` where others' bodies take all the room, and with whatever else the body breaks off with.
 * A client whose body breaks off has been answered already.
 */
export async function withWholeBody<T>(
  o: WholeBodyOptions,
  use: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const { exchange, parts, limitBytes, tooLarge } = o;
  const { bodyBytes } = exchange.request;
  if (bodyBytes === 0) return await use(new Uint8Array(0));
  if (bodyBytes !== null && bodyBytes > limitBytes) throw tooLarge(limitBytes);
  exchange.body = bodyOf(parts, o.stream, exchange, limitBytes, tooLarge);
  const gathering = new Gathering(parts.gathered);
  try {
    return await use(await gathering.read(exchange.body));
  } finally {
    gathering.free();
  }
}

class Gathering {
  readonly #room: ByteRoom;
  #chunks: Uint8Array[] = [];
  #taken = 0;

  constructor(room: ByteRoom) {
    this.#room = room;
  }

  read(body: NonNullable<Exchange['body']>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      body.read({
        data: (chunk) => {
          if (!this.#room.take(chunk.length)) {
            body.cancel();
            reject(noRoom());
            return;
          }
          this.#taken += chunk.length;
          // It is a view, which holds for this moment only.
          this.#chunks.push(Buffer.from(chunk));
        },
        end: () => resolve(this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)),
        fail: reject,
      });
    });
  }

  free(): void {
    this.#chunks = [];
    this.#room.free(this.#taken);
    this.#taken = 0;
  }
}

function noRoom(): FulcrumError {
  const message = 'So many requests are read at this moment that there is no room for one more. Try again.';
  return new FulcrumError('overloaded', message, { retryAfterS: 1 });
}
