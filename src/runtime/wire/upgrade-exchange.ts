import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import { asFulcrumError, type FulcrumError } from '../../base/errors.ts';
import { endToEnd } from '../../base/hop-by-hop.ts';
import type { RawHeaders } from '../../model/http.ts';
import type { UpgradeRequest } from '../../model/instance.ts';
import type { InvocationContext, InvocationEnd, Outcome } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { readDone } from './done.ts';
import { FRAME } from './frames.ts';
import { requestFrame } from './request-frame.ts';
import { readAnswer, readUpgradeResponse, splitFields, writeRequest } from './messages.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';
import { errorOf } from './refused-calls.ts';
import { readFailure } from './thrown.ts';
import { unheardMs } from './unheard.ts';

/**
 * A connection that asks to become a WebSocket, at the server's end of its stream. States:
 *
 *   asking ──RESPONSE 101──▶ open (bytes go both ways) ──one side ends──▶ closing ──DONE──▶ over
 *     ├─ any other answer: refusing (sent as HTTP's, then the end) ─────────────────────────▶ over
 *     └─ FAILED, lost, timeout: over, and the socket untouched
 *
 * Until it is answered nothing is read from the client: what it sends early waits in its socket.
 */
type State = 'asking' | 'open' | 'closing' | 'refusing' | 'over';

/** How long a client may take for the last bytes, once the instance has sent them and is done. */
const LAST_BYTES_MS = 30_000;

export class UpgradeExchangeStream implements StreamHandler {
  readonly context: InvocationContext;
  readonly ended: Promise<InvocationEnd>;
  readonly #request: UpgradeRequest;
  readonly #connection: WireConnection;
  readonly #stream: WireStream;
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #resolve: (end: InvocationEnd) => void;
  #state: State = 'asking';
  #deadline: Timer | null = null;
  /** Why nobody waits for it any more, where that is so. */
  #givenUp: FulcrumError | null = null;
  #heldBytes = 0;

  /** The signal must not have aborted. @param ofGroup the instance holds several components. */
  constructor(request: UpgradeRequest, connection: WireConnection, clock: Clock, ofGroup = false) {
    this.context = request.context;
    this.#request = request;
    this.#connection = connection;
    this.#clock = clock;
    this.#socket = request.socket;
    const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#stream = connection.open();
    this.#stream.handler = this;
    const { context, head } = request;
    const remainingMs = context.deadlineMs - clock.monotonicMs();
    const shape = { remainingMs, hasBody: true, upgrades: true };
    writeRequest(connection.writer, this.#stream.id, requestFrame(context, head, shape, ofGroup));
    context.signal.addEventListener('abort', this);
    this.#socket.on('close', this.#onClose);
    this.#socket.on('error', ignore);
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    switch (type) {
      case FRAME.RESPONSE: {
        const { status, headers } = readUpgradeResponse(payload);
        return this.#answered(status, headers);
      }
      case FRAME.ANSWER: {
        const answer = readAnswer(payload);
        this.#connection.forget(this.#stream);
        this.#answered(answer.status, splitFields(answer.fields));
        if (this.#state === 'refusing') this.#socket.write(Buffer.from(answer.body));
        return this.#done(answer.cpuMs);
      }
      case FRAME.BODY_END:
        return this.#part();
      case FRAME.DONE: {
        const cpuMs = readDone(payload);
        if (this.#state === 'asking' && this.#givenUp === null)
          throw protocolError('DONE without a response');
        this.#connection.forget(this.#stream);
        return this.#done(cpuMs);
      }
      case FRAME.FAILED: {
        const failure = readFailure(payload, 'instance');
        this.#connection.forget(this.#stream);
        return this.#end('handler-error', errorOf(failure, this.context), failure.cpuMicros / 1_000);
      }
      default:
        throw protocolError(`frame of type ${type} in an upgrade's stream`);
    }
  }

  data(chunk: Buffer): void {
    const isAsking = this.#state === 'asking';
    if (isAsking && this.#givenUp === null) throw protocolError('data before a response');
    if (isAsking || this.#state === 'over' || this.#socket.destroyed || !this.#socket.writable) {
      this.#stream.consumed(chunk.length);
    } else if (this.#socket.write(Buffer.from(chunk))) {
      this.#stream.consumed(chunk.length);
    } else {
      this.#heldBytes += chunk.length;
    }
  }

  drained(): void {
    this.#socket.resume();
  }

  stopped(): void {
    this.#socket.resume();
  }

  lost(error: FulcrumError): void {
    this.#end('crashed', error, 0);
  }

  /** Called by the signal. */
  handleEvent(): void {
    const error = asFulcrumError(this.context.signal.reason);
    if (this.#state === 'over' || this.#givenUp !== null) return;
    this.#givenUp = error;
    this.#stream.dropBody();
    this.#connection.writer.text(FRAME.ABORT, 0, this.#stream.id, error.code);
    if (error.code === 'timeout') return this.#end('timeout', error, 0);
    if (error.code === 'shutting-down') return this.#end('cancelled', error, 0);
    // Its hooks may still be at it: the slot is held until they are done.
    this.#deadline = this.#clock.after(unheardMs(this.context, this.#clock), () =>
      this.#end('timeout', error, 0),
    );
  }

  readonly #onClose = (): void => {
    if (this.#state !== 'over') this.#stream.endBody();
  };

  #answered(status: number, headers: RawHeaders): void {
    // It may have been on its way when the request was given up: nobody waits for it.
    if (this.#state === 'over' || (this.#state === 'asking' && this.#givenUp !== null)) return;
    if (this.#state !== 'asking') throw protocolError('a second response head');
    const isOpen = status === 101;
    let fields = '';
    try {
      fields = fieldLines(headers, isOpen);
    } catch (error) {
      return this.#end('bad-response', asFulcrumError(error, 'bad-response'), 0);
    }
    this.#state = isOpen ? 'open' : 'refusing';
    if (this.#socket.destroyed) return;
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
    text += fields;
    if (!isOpen) text += 'Connection: close\r\n';
    this.#socket.write(`${text}\r\n`, 'latin1');
    this.#socket.on('drain', () => this.#socketDrained());
    if (isOpen) this.#readClient();
  }

  #readClient(): void {
    const socket = this.#socket;
    if (this.#request.early.length > 0) this.#stream.write(this.#request.early);
    socket.on('data', (chunk: Buffer) => {
      if (!this.#stream.write(chunk)) socket.pause();
    });
    socket.on('end', () => this.#stream.endBody());
    socket.resume();
  }

  #socketDrained(): void {
    const bytes = this.#heldBytes;
    this.#heldBytes = 0;
    if (bytes > 0) this.#stream.consumed(bytes);
  }

  /** The instance has sent all that it will. */
  #part(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#socket.end();
  }

  #done(cpuMs: number): void {
    if (this.#state === 'over') return;
    if (this.#givenUp !== null) return this.#end('cancelled', this.#givenUp, cpuMs);
    if (this.#socket.destroyed) return this.#end('ok', null, cpuMs);
    // What is written must be sent before whoever called closes the socket.
    if (!this.#socket.writableEnded) this.#socket.end();
    if (this.#socket.writableFinished) return this.#end('ok', null, cpuMs);
    const sent = (): void => this.#end('ok', null, cpuMs);
    this.#socket.once('finish', sent);
    this.#socket.once('close', sent);
    this.#deadline?.cancel();
    this.#deadline = this.#clock.after(LAST_BYTES_MS, () => this.#socket.destroy());
  }

  #end(outcome: Outcome, error: FulcrumError | null, cpuMs: number): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#deadline?.cancel();
    this.context.signal.removeEventListener('abort', this);
    this.#socket.off('close', this.#onClose);
    this.#stream.dropBody();
    this.#resolve({ outcome, error, cpuMs });
  }
}

/** @throws TypeError for what HTTP cannot carry, which would otherwise be read as other fields, or as another answer. */
function fieldLines(headers: RawHeaders, isOpen: boolean): string {
  let text = '';
  const fields = isOpen ? headers : endToEnd(headers);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    // The end of the connection ends a refusal's body.
    if (!isOpen && name.toLowerCase() === 'content-length') continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

function ignore(): void {}
