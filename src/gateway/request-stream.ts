import type { Peer } from './admission.ts';
import type { ResponseFraming } from './http1/response-writer.ts';
import type { FulcrumError } from '../base/errors.ts';

/** A request that is served, as what it came on sees it. */
export interface Served {
  /**
   * A piece of its body.
   * @returns false where nobody wants it.
   */
  bodyData(bytes: Buffer): boolean;
  /** Its body has come whole. */
  bodyWhole(): void;
  /** The client has taken all that was written: more may follow. */
  drained(): void;
  /** What arrives is no body any more, or arrives too slowly: nothing of it can be read any further. */
  bodyBroken(error: FulcrumError): void;
  /** The client is gone, and `error` says why. */
  gone(error: FulcrumError): void;
  /** Looks at what must happen in time. */
  watch(nowMs: number): void;
}

/** Where an answer is written. */
export interface AnswerWriter {
  /** `100 Continue`: the body is wanted. */
  continue(): void;
  /** @param lines valid fields, each with its line's end, and none that frames the message. */
  begin(status: number, lines: string, framing: ResponseFraming): void;
  /** A whole answer, as `begin`, `data` and `end` would write it. */
  whole(status: number, lines: string, framing: ResponseFraming, body: Buffer): void;
  /**
   * @param piece may be used anew when this returns.
   * @returns false when enough waits to be sent: the source should wait for `drained`. The piece is taken either way.
   */
  data(piece: Buffer): boolean;
  end(): void;
}

/** What one request came on, and its answer goes out on: a connection of HTTP/1 for its turn, or a stream of HTTP/2. */
export interface RequestStream {
  readonly peer: Peer;
  readonly writer: AnswerWriter;
  /** Whether nothing is read any more behind the present request. */
  readonly closes: boolean;
  /** Whether the request has not wholly arrived. */
  readonly isArriving: boolean;
  /** `served` serves the request whose head has just been given. */
  serve(served: Served): void;
  /** Nothing is to be read behind the present request. What has been written is sent. */
  close(): void;
  /** The answer has been handed over whole. */
  answered(): void;
  /** The client has more to take than waits to be sent anyway: whether it does is watched from now on. */
  watchOutput(): void;
  /** Reads no more of the body of `served` for now. */
  hold(served: Served): void;
  /** Reads on, where it is the body of `served` that is read. */
  flow(served: Served): void;
  /** Nobody wants what is still to come of the body. A little of it is taken, for the connection's sake. */
  discardBody(served: Served): void;
  /**
   * Breaks the answer off, so that the client cannot take what it has for a whole one.
   * @param isUnending of HTTP/1.0 and of unknown length: even an orderly end would say that it was whole.
   */
  cut(isUnending: boolean): void;
}
