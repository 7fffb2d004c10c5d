import { FulcrumError } from '../../base/errors.ts';
import type { HttpEnd, ResponseHead, ResponseSink } from '../../model/http.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { writeAnswer, writeResponse } from './messages.ts';
import type { WireStream } from './stream.ts';
import { thrownOf, type Failure } from './thrown.ts';

/** Statuses whose answers have no body (Fetch standard, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * What another component answers, on its way to the instance that has asked for it.
 *
 *   waiting ──head──▶ answering ──end──▶ answered ──all sent──▶ over
 *      │                  │   └──end, while the request is read still──▶ reading ──ended()──▶ answered
 *      └──────────────────┴── ended(), close() ──▶ over
 */
export class OutboundAnswer implements ResponseSink {
  readonly #stream: WireStream;
  readonly #connection: WireConnection;
  readonly #isHead: boolean;
  readonly #isReading: () => boolean;
  readonly #onOver: () => void;
  #state: 'waiting' | 'answering' | 'reading' | 'answered' | 'over' = 'waiting';
  #sendsBody = false;
  #resume: (() => void) | null = null;

  /**
   * @param isReading whether the request's body is under way still.
   * @param onOver called when the stream is over at our end.
   */
  constructor(
    stream: WireStream,
    connection: WireConnection,
    method: string,
    isReading: () => boolean,
    onOver: () => void,
  ) {
    this.#stream = stream;
    this.#connection = connection;
    this.#isHead = method === 'HEAD';
    this.#isReading = isReading;
    this.#onOver = onOver;
  }

  /** Whether the answer is whole, or nobody waits for it any more. */
  get isOver(): boolean {
    return this.#state !== 'waiting' && this.#state !== 'answering';
  }

  /** Throws `bad-response` where it is too large. */
  head({ status, headers }: ResponseHead): void {
    if (this.#state !== 'waiting') return;
    this.#sendsBody = this.#mayHaveBody(status);
    if (!writeResponse(this.#connection.writer, this.#stream.id, status, headers, this.#sendsBody))
      throw new FulcrumError('bad-response', 'The component answers with more than 256 KB of headers.');
    this.#state = 'answering';
  }

  data(chunk: Uint8Array): boolean {
    if (this.#state !== 'answering' || !this.#sendsBody) return true;
    return this.#stream.write(chunk) && this.#stream.hasRoomFor(1);
  }

  end(): void {
    if (this.#state !== 'answering') return;
    if (this.#isReading()) {
      this.#state = 'reading';
      this.#stream.endBody();
    } else {
      this.#answered();
    }
  }

  answer(head: ResponseHead, body: Uint8Array): void {
    if (this.#state !== 'waiting') return;
    if (this.#isReading()) {
      this.head(head);
      this.data(body);
      this.end();
      return;
    }
    const { status, headers } = head;
    const sent = this.#mayHaveBody(status) ? body : NO_BYTES;
    writeAnswer(this.#connection.writer, this.#stream.id, { status, headers, body: sent, cpuMicros: 0 });
    this.close();
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  /** There is room for more to be sent. */
  drained(): void {
    if (this.#state === 'answered') this.#done();
    else this.#resume?.();
  }

  /** The invocation has ended: where its answer is not whole, what asks for it fails. */
  ended(end: HttpEnd): void {
    if (this.#state === 'reading') return this.#answered();
    if (this.isOver) return;
    const error =
      end.error ??
      new FulcrumError(
        'bad-response',
        this.#state === 'waiting'
          ? 'The component ended without an answer.'
          : 'The component ended before its answer was whole.',
      );
    const failure: Failure = {
      code: error.code,
      message: error.message,
      thrown: end.thrown ?? thrownOf(error),
      cpuMicros: 0,
      retryAfterS: error.retryAfterS,
    };
    this.#connection.writer.json(FRAME.FAILED, 0, this.#stream.id, failure);
    this.close();
  }

  /** Nothing is sent any more. */
  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#connection.forget(this.#stream);
    this.#onOver();
  }

  #answered(): void {
    this.#state = 'answered';
    if (this.#stream.sent) this.#done();
  }

  #done(): void {
    this.#connection.writer.number(FRAME.DONE, this.#stream.id, 0);
    this.close();
  }

  #mayHaveBody(status: number): boolean {
    return !this.#isHead && !WITHOUT_BODY.has(status);
  }
}

const NO_BYTES = new Uint8Array(0);
