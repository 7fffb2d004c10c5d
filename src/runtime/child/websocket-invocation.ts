import { messageOf } from '../../base/errors.ts';
import type { WebSocket } from 'ws';
import type { WebSocketHooks } from '../../sdk/handler-types.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME } from '../wire/frames.ts';
import { writeResponse, type RequestFrame } from '../wire/messages.ts';
import type { StreamHandler, WireStream } from '../wire/stream.ts';
import type { Failure } from '../wire/thrown.ts';
import { thrownByAuthor } from './author-errors.ts';
import { ComponentSocket } from './component-socket.ts';
import type { CpuMeter } from './cpu-meter.ts';
import { IncomingRequest } from './fetch/incoming-request.ts';
import { LightResponse } from './fetch/light-response.ts';
import { readResponse } from './fetch/response-parts.ts';
import { stackOf, type InvocationScope } from './invocation.ts';
import type { ModuleHandlers } from './module-handlers.ts';
import { isThenable } from './thenable.ts';
import { WireSocket, type UpgradeHead } from './wire-socket.ts';

/** Close codes (RFC 6455, 7.4.1). */
const GOING_AWAY = 1_001;
const INTERNAL_ERROR = 1_011;
/** How long before a function's time is up its sockets are closed, so that both ends can still say so. */
const FAREWELL_MS = 1_000;

export interface WebSocketInvocationOptions {
  readonly connection: WireConnection;
  readonly stream: WireStream;
  readonly request: RequestFrame;
  readonly scope: InvocationScope;
  readonly env: unknown;
  readonly cpu: CpuMeter;
  readonly handlers: ModuleHandlers;
  /** A function's invocation ends at its timeout; a service's lasts as long as the socket. */
  readonly endsAtTimeout: boolean;
  readonly over: () => void;
}

/**
 * One WebSocket at the instance's end of its stream:
 *
 *   asking (the author decides) ──hooks──▶ opening ──▶ open ──closed by either side──▶ over
 *     └──a Response, or an error──────────────────────────────────────────────────────▶ over
 */
type State = 'asking' | 'opening' | 'open' | 'over';

export class WebSocketInvocation implements StreamHandler {
  registryPlace = -1;
  readonly context = null;
  readonly #options: WebSocketInvocationOptions;
  readonly #stream: WireStream;
  readonly #cpuMark: number;
  readonly #socket: WireSocket;
  #state: State = 'asking';
  #webSocket: WebSocket | null = null;
  #hooks: WebSocketHooks = {};
  /** Why it must go, where that is known before it is open. */
  #farewell: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Messages that wait for the hook to be done with the one before. */
  #waiting: (string | Uint8Array)[] = [];
  #delivering = false;

  constructor(options: WebSocketInvocationOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.#stream.handler = this;
    this.#cpuMark = options.cpu.begin();
    this.#socket = new WireSocket(options.stream, (head) => this.#answer(head));
    this.#socket.on('error', () => undefined);
  }

  run(): void {
    this.#ask().catch((error: unknown) => this.#fail(error));
  }

  /** The instance is to end. */
  goAway(): void {
    if (this.#options.scope.waitsUntil || this.#state === 'over') return;
    this.#part(GOING_AWAY, 'The server goes away.');
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type === FRAME.BODY_END || type === FRAME.BODY_FAILED) this.#socket.ended();
    else if (type === FRAME.ABORT) {
      this.#options.scope.abort(payload.toString('latin1'));
      this.#webSocket?.terminate();
      this.#socket.destroy();
    }
  }

  data(chunk: Buffer): void {
    if (this.#state === 'over') this.#stream.consumed(chunk.length);
    else this.#socket.received(chunk);
  }

  drained(): void {
    this.#socket.drained();
  }

  stopped(): void {
    this.#socket.drained();
  }

  lost(): void {
    // The process ends with its connection.
  }

  async #ask(): Promise<void> {
    const { request, scope, env, handlers } = this.#options;
    const { websocket } = handlers;
    if (websocket === null) throw new Refusal(MISSING);
    const input = new IncomingRequest(request, null, () => scope.signal);
    const decided: unknown = await scope.run(() => websocket(input, env, scope.context));
    if (this.#isOver) return;
    if (this.#socket.destroyed) return this.#abandoned();
    if (decided instanceof LightResponse) return await this.#refuse(decided);
    if (typeof decided !== 'object' || decided === null) throw new Refusal(NO_HOOKS);
    this.#hooks = decided;
    this.#state = 'opening';
    // Loaded by the first that needs it: no cold start pays for what it does not use.
    const { acceptWebSocket } = await import('./websocket-library.ts');
    if (this.#isOver) return;
    if (this.#socket.destroyed) return this.#abandoned();
    const asked = { method: request.method, headers: input.headers.entries() };
    acceptWebSocket(asked, this.#socket, this.#hooks.protocol, (webSocket) => this.#opened(webSocket));
    // The handshake was none, and has been answered so.
    if (this.#webSocket === null) this.#socket.once('close', () => this.#done(null));
  }

  get #isOver(): boolean {
    return this.#state === 'over';
  }

  /** The client went, or its time was up, before the author had decided. */
  #abandoned(): void {
    void this.#options.scope.settled().then(() => this.#done(null));
  }

  /** The author's own answer, in place of a WebSocket. */
  async #refuse(response: LightResponse): Promise<void> {
    const { status, headers, body } = readResponse(response, 'GET');
    this.#answer({ status, headers });
    if (body !== null && typeof body === 'object' && 'getReader' in body) {
      const bytes = new Uint8Array(await new Response(body as ReadableStream).arrayBuffer());
      this.#stream.write(bytes);
    } else if (body !== null) {
      this.#stream.write(Buffer.from(body));
    }
    this.#done(null);
  }

  #answer({ status, headers }: UpgradeHead): void {
    writeResponse(this.#options.connection.writer, this.#stream.id, status, headers, true);
  }

  #opened(webSocket: WebSocket): void {
    this.#webSocket = webSocket;
    this.#state = 'open';
    const socket = new ComponentSocket(webSocket);
    webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#waiting.push(isBinary ? new Uint8Array(data) : data.toString());
      if (!this.#delivering) void this.#deliver(socket);
    });
    // What a client does wrong is told in the code that follows.
    webSocket.on('error', () => undefined);
    webSocket.on('close', (code: number, reason: Buffer) => this.#closed(socket, code, reason.toString()));
    this.#socket.on('drain', () => {
      if (socket.takeDrained()) this.#hook(() => this.#hooks.drain?.(socket));
    });
    this.#hook(() => this.#hooks.open?.(socket));
    if (this.#farewell !== null) webSocket.close(this.#farewell);
    else this.#closeInTime();
  }

  /** One message after the other: while the hook is at one, no more is read from the client than fits into a stream's window. */
  async #deliver(socket: ComponentSocket): Promise<void> {
    this.#delivering = true;
    while (this.#waiting.length > 0 && !this.#isOver) {
      const message = this.#waiting.shift()!;
      try {
        const working: unknown = this.#options.scope.run(() => this.#hooks.message?.(socket, message));
        if (isThenable(working)) {
          this.#webSocket!.pause();
          await working;
        }
      } catch (error) {
        this.#hookFailed(error);
      }
    }
    this.#delivering = false;
    if (this.#webSocket!.isPaused) this.#webSocket!.resume();
  }

  #hook(run: () => unknown): void {
    try {
      const working = this.#options.scope.run(run);
      if (isThenable(working)) working.then(undefined, (error: unknown) => this.#hookFailed(error));
    } catch (error) {
      this.#hookFailed(error);
    }
  }

  #hookFailed(error: unknown): void {
    this.#options.scope.report(stackOf(error));
    this.#part(INTERNAL_ERROR, 'The component failed.');
  }

  #closed(socket: ComponentSocket, code: number, reason: string): void {
    this.#waiting = [];
    this.#hook(() => this.#hooks.close?.(socket, code, reason));
    this.#socket.destroy();
    void this.#options.scope.settled().then(() => this.#done(null));
  }

  #closeInTime(): void {
    const { endsAtTimeout, request } = this.#options;
    if (!endsAtTimeout) return;
    const inMs = Math.max(request.remainingMs / 2, request.remainingMs - FAREWELL_MS);
    this.#timer = setTimeout(() => this.#part(GOING_AWAY, 'The time of the function is up.'), inMs);
    this.#timer.unref();
  }

  #part(code: number, reason: string): void {
    if (this.#webSocket === null) this.#farewell = code;
    else this.#webSocket.close(code, reason);
  }

  #fail(error: unknown): void {
    const { scope } = this.#options;
    if (error instanceof Refusal) return this.#done({ ...error.failure, thrown: null, cpuMicros: 0 });
    scope.report(stackOf(error));
    const thrown = thrownByAuthor(error);
    const message = `The \`websocket\` handler threw ${thrown.name}: ${thrown.message}`;
    this.#done({ code: 'handler-error', message: messageOf(message), thrown, cpuMicros: 0 });
  }

  #done(failure: Failure | null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { connection, cpu, over } = this.#options;
    cpu.end(this.#cpuMark, (cpuMicros) => {
      if (failure === null) connection.writer.number(FRAME.DONE, this.#stream.id, cpuMicros);
      else connection.writer.json(FRAME.FAILED, 0, this.#stream.id, { ...failure, cpuMicros });
      connection.forget(this.#stream);
      over();
    });
  }
}

const MISSING: Pick<Failure, 'code' | 'message'> = {
  code: 'handler-missing',
  message: 'The component has no `websocket` handler, so it cannot accept WebSockets.',
};
const NO_HOOKS: Pick<Failure, 'code' | 'message'> = {
  code: 'bad-response',
  message: 'The `websocket` handler returned neither hooks nor a Response.',
};

class Refusal extends Error {
  readonly failure: Pick<Failure, 'code' | 'message'>;

  constructor(failure: Pick<Failure, 'code' | 'message'>) {
    super(failure.message);
    this.failure = failure;
  }
}
