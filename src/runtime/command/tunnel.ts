import { randomBytes } from 'node:crypto';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { UpgradeRequest } from '../../model/instance.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import { endToEnd } from '../../base/hop-by-hop.ts';
import { fieldOf, requestHeaders } from './headers.ts';
import { endedBadly, ENDED_WELL, givenUp, type InFlight } from './outcome.ts';
import { TunnelDirection } from './tunnel-direction.ts';
import { MAX_HEAD_BYTES, type Upstream } from './upstream.ts';
import { closeFrame } from './websocket-frames.ts';

/** "Going away" (RFC 6455 §7.4.1). */
const GOING_AWAY = 1001;
/** How long both ends have to answer a farewell, or one end to follow the other's. */
const PARTING_MS = 2_000;

/**
 * One connection that asked to be upgraded:
 *
 *   asking ──101──▶ open ──one end gone, or farewell──▶ parting ──▶ over
 *     └─ another answer: passed on ─────────────────────────▲
 *
 * Until the program has answered, nothing is read from the client or written to it: what a client sends behind an
 * upgrade that is refused would be taken for its next request, and whoever called still owes it an answer if this fails.
 */
export class Tunnel implements InFlight {
  readonly ended: Promise<InvocationEnd>;
  readonly #upstream: Upstream;
  readonly #asked: UpgradeRequest;
  readonly #clock: Clock;
  readonly #onAbort = (): void => this.#cut(givenUp(this.#asked.context.signal.reason));
  readonly #onClientClose = (): void => this.#clientClosed();
  #state: 'asking' | 'open' | 'parting' | 'over' = 'asking';
  #resolve!: (end: InvocationEnd) => void;
  #request: ClientRequest | null = null;
  #program: Duplex | null = null;
  #toProgram: TunnelDirection | null = null;
  #toClient: TunnelDirection | null = null;
  #webSocket = false;
  #farewell = false;
  #parting: Timer | null = null;
  /** How it will have ended once both ends are closed; waits to learn whether the program has crashed. */
  #end: Promise<InvocationEnd> | InvocationEnd = ENDED_WELL;

  constructor(upstream: Upstream, asked: UpgradeRequest, clock: Clock) {
    this.#upstream = upstream;
    this.#asked = asked;
    this.#clock = clock;
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
    const { signal } = asked.context;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    asked.socket.on('close', this.#onClientClose);
    asked.socket.on('error', ignore);
    if (signal.aborted) this.#onAbort();
    else if (asked.socket.destroyed) this.#clientClosed();
    else this.#ask();
  }

  drain(): void {
    if (this.#state !== 'open' || !this.#webSocket) return;
    // Where one end has begun to close, the closing is under way.
    if (this.#toProgram!.isClosed || this.#toClient!.isClosed) return this.#part();
    this.#farewell = true;
    this.#toProgram!.leave();
    this.#toClient!.leave();
    this.#part();
  }

  crash(error: FulcrumError): void {
    this.#cut(endedBadly('crashed', error));
  }

  #ask(): void {
    const { head } = this.#asked;
    const { host, port } = this.#upstream.address;
    const protocol = fieldOf(head.headers, 'upgrade') ?? 'websocket';
    let sent: ClientRequest;
    try {
      sent = request({
        method: head.method,
        path: head.target,
        headers: [...requestHeaders(head, null), 'Connection', 'Upgrade', 'Upgrade', protocol],
        createConnection: () => connect({ host, port, allowHalfOpen: true, noDelay: true }),
        maxHeaderSize: MAX_HEAD_BYTES,
      });
    } catch (error) {
      const text = `The upgrade cannot be forwarded: ${messageOf(error)}`;
      return this.#cut(endedBadly('cancelled', new FulcrumError('bad-request', text, { cause: error })));
    }
    this.#request = sent;
    sent.maxHeadersCount = 0;
    sent.once('upgrade', (response, socket, early) => this.#open(response, socket, early));
    sent.once('response', (response) => this.#refuse(response));
    sent.on('error', (error) => void this.#failed(error));
    sent.end();
  }

  #open(response: IncomingMessage, program: Duplex, early: Uint8Array): void {
    program.on('error', ignore);
    if (this.#state !== 'asking') return void program.destroy();
    this.#state = 'open';
    const { socket: client, early: clientEarly } = this.#asked;
    this.#program = program;
    const accepted = fieldOf(response.rawHeaders, 'upgrade') ?? 'websocket';
    client.write(
      headText(response, [...endToEnd(response.rawHeaders), 'Connection', 'Upgrade', 'Upgrade', accepted]),
      'latin1',
    );
    const webSocket = (this.#webSocket = accepted.trim().toLowerCase() === 'websocket');
    this.#toProgram = new TunnelDirection(client, program, {
      webSocket,
      farewell: closeFrame(GOING_AWAY, randomBytes(4)),
      onClosed: () => client.end(),
    });
    this.#toClient = new TunnelDirection(program, client, {
      webSocket,
      farewell: closeFrame(GOING_AWAY, null),
      onClosed: () => program.end(),
    });
    program.on('close', () => this.#programClosed());
    this.#toProgram.open(clientEarly);
    this.#toClient.open(early);
    if (this.#upstream.draining) this.drain();
  }

  /** The program gave another answer: the client gets it as it is, and no further one on this connection. */
  #refuse(response: IncomingMessage): void {
    if (this.#state !== 'asking') return;
    this.#state = 'open';
    const client = this.#asked.socket;
    client.write(headText(response, [...endToEnd(response.rawHeaders), 'Connection', 'close']), 'latin1');
    response.on('data', (chunk: Buffer) => {
      if (!client.write(chunk)) response.pause();
    });
    client.on('drain', () => response.resume());
    response.once('end', () => {
      client.end();
      this.#part();
    });
    response.on('error', () => void this.#failed(new Error('it broke its answer off')));
    // What the client sends meanwhile is for a protocol that was refused; it is read so that its end is seen.
    client.resume();
  }

  async #failed(cause: Error): Promise<void> {
    if (this.#state === 'over') return;
    const crash = await this.#upstream.crashed();
    if (crash !== null) return this.crash(crash);
    const text = `The component "${this.#upstream.component}" did not answer the upgrade: ${cause.message}.`;
    this.#cut(endedBadly('bad-response', new FulcrumError('bad-response', text, { cause })));
  }

  #clientClosed(): void {
    if (this.#state === 'asking') {
      this.#cut(
        givenUp(new FulcrumError('client-gone', 'The client went away before its upgrade was answered.')),
      );
    } else if (this.#program === null || this.#program.destroyed) {
      this.#over();
    } else {
      this.#program.end();
      this.#part();
    }
  }

  #programClosed(): void {
    // Without a farewell of its own it may have crashed.
    if (this.#state === 'open' && !this.#toClient!.isClosed) {
      this.#end = this.#upstream
        .crashed()
        .then((crash) => (crash === null ? ENDED_WELL : endedBadly('crashed', crash)));
    }
    if (this.#asked.socket.destroyed) return this.#over();
    // Ended rather than cut, so that what the program said last still arrives. A client that was sent a farewell answers
    // it first.
    if (!this.#farewell) this.#asked.socket.end();
    this.#part();
  }

  /** Both ends have a moment to close by themselves. */
  #part(): void {
    if (this.#state !== 'open') return;
    this.#state = 'parting';
    this.#parting = this.#clock.after(PARTING_MS, () => this.#cut(this.#end));
  }

  /** Closes both ends now; before an answer, the client's is left to whoever called. */
  #cut(end: Promise<InvocationEnd> | InvocationEnd): void {
    if (this.#state === 'over') return;
    this.#end = end;
    if (this.#state === 'asking') this.#asked.socket.off('error', ignore);
    else this.#asked.socket.destroy();
    this.#over();
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#parting?.cancel();
    this.#asked.context.signal.removeEventListener('abort', this.#onAbort);
    this.#asked.socket.off('close', this.#onClientClose);
    this.#request?.destroy();
    this.#program?.destroy();
    void Promise.resolve(this.#end).then(this.#resolve);
  }
}

/** Unheard, an error of a socket would end the server; `close` follows and says enough. */
function ignore(): void {}

function headText(response: IncomingMessage, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${response.statusCode} ${response.statusMessage ?? ''}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
