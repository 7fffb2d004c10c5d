import type { Clock, Timer } from '../../base/clock.ts';
import { asFulcrumError, type FulcrumError } from '../../base/errors.ts';
import type { HttpExchange, RawHeaders } from '../../model/http.ts';
import type { InvocationContext, Outcome, ThrownError } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { FLAG_BODY, FRAME } from './frames.ts';
import { requestFrame } from './request-frame.ts';
import { readDone } from './done.ts';
import { readAnswer, readResponse, writeRequest } from './messages.ts';
import type { HeadTexts } from './head-texts.ts';
import { LONG_WINDOW_BYTES, WINDOW_BYTES } from './limits.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';
import { errorOf } from './refused-calls.ts';
import { readFailure } from './thrown.ts';
import { endsAtOnce, outlasted, unheardMs, type GivenUp } from './unheard.ts';

/**
 * One HTTP request at the server's end of its stream. States:
 *
 *   waiting ──RESPONSE──▶ answering ──BODY_END──▶ answered (waitUntil goes on)
 *      │                      │                      │
 *      ├─────────────────ANSWER────────────────────▶ over
 *      └──────────────────────┴───────────┬──────────┘
 *                                         ├─ DONE, FAILED, connection lost, timeout, shutdown ──▶ over
 *                                         └─ given up for any other reason ──▶ unheard ──DONE, FAILED, …──▶ over
 *
 * `unheard` has nobody left to answer, and holds its slot while the handler may still be at it.
 * `over` means resolved. The stream itself lasts until the instance has ended it: what it still sends is thrown away.
 */
type State = 'waiting' | 'answering' | 'answered' | 'unheard' | 'over';

/** What one read of a client's socket gives at most: the gateway reads on only where the instance may be sent as much. */
const CLIENT_READ_BYTES = 64 * 1024;

/** Carries `exchange` over `connection`. Its signal must not have aborted. @param ofGroup the instance holds several components. */
export function carryHttp(
  exchange: HttpExchange,
  connection: WireConnection,
  clock: Clock,
  texts: HeadTexts,
  ofGroup = false,
): void {
  new HttpExchangeStream(exchange, connection, clock, texts).begin(ofGroup);
}

class HttpExchangeStream implements StreamHandler {
  readonly context: InvocationContext;
  readonly #exchange: HttpExchange;
  readonly #connection: WireConnection;
  readonly #stream: WireStream;
  readonly #clock: Clock;
  readonly #texts: HeadTexts;
  #state: State = 'waiting';
  #deadline: Timer | null = null;
  /** Why it is `unheard`; what comes after it came because of it. */
  #givenUp: GivenUp | null = null;
  /** Bytes that the sink took when it was full: their credit is granted when it has emptied. */
  #heldBytes = 0;
  #isForgotten = false;
  #listensForDrain = false;

  constructor(exchange: HttpExchange, connection: WireConnection, clock: Clock, texts: HeadTexts) {
    this.context = exchange.context;
    this.#exchange = exchange;
    this.#connection = connection;
    this.#clock = clock;
    this.#texts = texts;
    this.#stream = connection.open();
    this.#stream.handler = this;
  }

  frame(type: number, flags: number, payload: Buffer): void {
    switch (type) {
      case FRAME.RESPONSE:
        return this.#head(flags, payload);
      case FRAME.BODY_END:
        return this.#bodyEnd();
      case FRAME.DONE: {
        const cpuMs = readDone(payload);
        if (this.#state === 'waiting') throw protocolError('DONE without a response');
        this.#forget();
        if (this.#state === 'answering') this.#bodyEnd();
        this.#finish('ok', null, cpuMs);
        return;
      }
      case FRAME.ANSWER:
        return this.#answer(payload);
      case FRAME.FAILED: {
        const failure = readFailure(payload, 'instance');
        this.#forget();
        const cpuMs = failure.cpuMicros / 1_000;
        this.#finish(outcomeOf(failure.code), errorOf(failure, this.context), cpuMs, failure.thrown);
        return;
      }
      default:
        throw protocolError(`frame of type ${type} in a request's stream`);
    }
  }

  data(chunk: Buffer): void {
    if (this.#state === 'unheard' || this.#state === 'over') return;
    if (this.#state !== 'answering') throw protocolError('data outside a response');
    try {
      if (this.#exchange.response.data(chunk)) {
        this.#stream.consumed(chunk.length);
        return;
      }
      this.#heldBytes += chunk.length;
      if (this.#listensForDrain) return;
      this.#listensForDrain = true;
      this.#exchange.response.onDrain(() => {
        const bytes = this.#heldBytes;
        this.#heldBytes = 0;
        this.#stream.consumed(bytes);
      });
    } catch (error) {
      this.#sinkFailed(error);
    }
  }

  drained(): void {
    this.#exchange.body?.resume();
  }

  stopped(): void {
    this.#exchange.body?.cancel();
  }

  lost(error: FulcrumError): void {
    this.#finish('crashed', error, 0);
  }

  begin(ofGroup: boolean): void {
    const { context, head, body } = this.#exchange;
    const remainingMs = context.deadlineMs - this.#clock.monotonicMs();
    const shape = { remainingMs, hasBody: body !== null, upgrades: false };
    writeRequest(this.#connection.writer, this.#stream.id, requestFrame(context, head, shape, ofGroup));
    context.signal.addEventListener('abort', this);
    body?.read({
      data: (chunk) => {
        this.#stream.write(chunk);
        if (!this.#stream.hasRoomFor(CLIENT_READ_BYTES)) body.pause();
      },
      end: () => this.#stream.endBody(),
      fail: (error) => this.#stream.failBody(error.code),
    });
  }

  #head(flags: number, payload: Buffer): void {
    const head = readResponse(payload);
    if (this.#state === 'unheard' || this.#state === 'over') return;
    if (this.#state !== 'waiting') throw protocolError('a second response head');
    this.#state = 'answering';
    try {
      this.#exchange.response.head(head);
    } catch (error) {
      return this.#sinkFailed(error);
    }
    if ((flags & FLAG_BODY) === 0) this.#bodyEnd();
    else if (isLong(head.headers)) this.#stream.grant(LONG_WINDOW_BYTES - WINDOW_BYTES);
  }

  /** The whole answer at once. */
  #answer(payload: Buffer): void {
    const { status, cpuMs, fields, body } = readAnswer(payload);
    const headers = this.#texts.split(fields);
    this.#forget();
    if (this.#state === 'waiting') {
      this.#state = 'answered';
      try {
        const { response } = this.#exchange;
        if (response.answer !== undefined) {
          response.answer({ status, headers }, body);
        } else {
          response.head({ status, headers });
          if (body.length > 0) response.data(body);
          response.end();
        }
      } catch (error) {
        this.#givenUp = { outcome: 'bad-response', error: asFulcrumError(error, 'bad-response') };
      }
    } else if (this.#state === 'answering' || this.#state === 'answered') {
      throw protocolError('a second response head');
    }
    this.#finish('ok', null, cpuMs);
  }

  #bodyEnd(): void {
    if (this.#state === 'unheard' || this.#state === 'over') return;
    if (this.#state !== 'answering') throw protocolError('the end of a body outside a response');
    this.#state = 'answered';
    try {
      this.#exchange.response.end();
    } catch (error) {
      this.#sinkFailed(error);
    }
  }

  /** Called by the signal: an object that listens costs no closure. */
  handleEvent(): void {
    const error = asFulcrumError(this.context.signal.reason);
    if (this.#state === 'over') return;
    if (!endsAtOnce(error)) return this.#giveUp({ outcome: 'cancelled', error });
    if (this.#state !== 'unheard') this.#tellAbort(error);
    this.#end(error.code === 'timeout' ? 'timeout' : 'cancelled', error, 0);
  }

  /** What takes the answer has failed: a fault of the platform or an answer that HTTP cannot carry. Harms this request only. */
  #sinkFailed(error: unknown): void {
    this.#giveUp({ outcome: 'bad-response', error: asFulcrumError(error, 'bad-response') });
  }

  #giveUp(givenUp: GivenUp): void {
    if (this.#state === 'unheard' || this.#state === 'over') return;
    this.#state = 'unheard';
    this.#givenUp = givenUp;
    this.#tellAbort(givenUp.error);
    this.#exchange.body?.cancel();
    this.#deadline = this.#clock.after(unheardMs(this.context, this.#clock), () =>
      this.#end('timeout', outlasted(), 0),
    );
  }

  #forget(): void {
    this.#isForgotten = true;
    this.#connection.forget(this.#stream);
  }

  #tellAbort(error: FulcrumError): void {
    this.#stream.dropBody();
    // Once it is over at the instance's end, its number may be another's.
    if (this.#isForgotten) return;
    this.#connection.writer.text(FRAME.ABORT, 0, this.#stream.id, error.code);
  }

  #finish(
    outcome: Outcome,
    error: FulcrumError | null,
    cpuMs: number,
    thrown: ThrownError | null = null,
  ): void {
    if (this.#givenUp === null) this.#end(outcome, error, cpuMs, thrown);
    else this.#end(this.#givenUp.outcome, this.#givenUp.error, cpuMs);
  }

  #end(outcome: Outcome, error: FulcrumError | null, cpuMs: number, thrown: ThrownError | null = null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#deadline?.cancel();
    this.context.signal.removeEventListener('abort', this);
    this.#stream.dropBody();
    this.#exchange.body?.cancel();
    this.#exchange.ended({ outcome, error, cpuMs, ...(thrown !== null && { thrown }) });
  }
}

/** Whether the answer's body is longer than may be on its way at first: it is granted more, so that it need not wait for that. */
function isLong(headers: RawHeaders): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.length === 14 && headers[i]!.toLowerCase() === 'content-length')
      return Number(headers[i + 1]) > WINDOW_BYTES;
  }
  return false;
}

function outcomeOf(code: FulcrumError['code']): Outcome {
  return code === 'bad-response' ? 'bad-response' : 'handler-error';
}
