import { FulcrumError } from '../../base/errors.ts';
import { Registry } from '../../base/registry.ts';
import type { ConnectionHandler, WireConnection } from '../wire/connection.ts';
import { ANSWER_MINOR, EVENT_MINOR, FRAME } from '../wire/frames.ts';
import {
  readCallHead,
  readRequest,
  writeLog,
  type Init,
  type Level,
  type RequestFrame,
} from '../wire/messages.ts';
import type { WireStream } from '../wire/stream.ts';
import { CallInvocation } from './call-invocation.ts';
import { CpuMeter } from './cpu-meter.ts';
import type { AuthorsEnv } from './environment.ts';
import { HttpInvocation } from './http-invocation.ts';
import { InvocationScope, scopes, type InvocationHost, type Scope } from './invocation.ts';
import type { ModuleHandlers } from './module-handlers.ts';
import { WebSocketInvocation } from './websocket-invocation.ts';

/** Lines wait in memory while the server reads slowly; beyond this they are dropped. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const MAX_LINE_LENGTH = 16 * 1024;

/** A loaded module at work: what comes over the wire becomes calls of its handlers. */
export class ChildInstance implements ConnectionHandler, InvocationHost {
  readonly component: string;
  readonly env: AuthorsEnv;
  readonly #connection: WireConnection;
  readonly #handlers: ModuleHandlers;
  readonly #answersWhole: boolean;
  readonly #saysAtOnce: boolean;
  readonly #mode: Init['mode'];
  readonly #cpu: CpuMeter;
  readonly #http = new Registry<HttpInvocation>();
  readonly #webSockets = new Registry<WebSocketInvocation>();
  #running = 0;
  #state: 'working' | 'draining' | 'ending' = 'working';
  #onIdle: (() => void) | null = null;

  constructor(connection: WireConnection, init: Init, env: AuthorsEnv, handlers: ModuleHandlers) {
    this.#connection = connection;
    this.component = init.component;
    this.env = env;
    this.#handlers = handlers;
    this.#mode = init.mode;
    this.#answersWhole = init.minor >= ANSWER_MINOR;
    this.#saysAtOnce = init.minor >= EVENT_MINOR;
    this.#cpu = new CpuMeter(() => connection.writer.beforeFlush(this.#settle));
    connection.handler = this;
  }

  control(type: number): void {
    if (type !== FRAME.GO_AWAY) return;
    if (this.#state === 'working') this.#state = 'draining';
    for (const invocation of this.#http.all()) invocation.goAway();
    for (const invocation of this.#webSockets.all()) invocation.goAway();
  }

  opened(stream: WireStream, type: number, flags: number, payload: Buffer): void {
    if (type === FRAME.REQUEST) this.#request(stream, flags, payload);
    else this.#call(stream, payload);
  }

  report(scope: Scope, text: string): void {
    sendLine(this.#connection, scope, 'stderr', 'error', text);
  }

  /** Calls `ended` when nothing runs any more, and ends event streams, so that this comes about. */
  end(ended: () => void): void {
    this.control(FRAME.GO_AWAY);
    this.#state = 'ending';
    this.#onIdle = ended;
    if (this.#running === 0) ended();
  }

  readonly #isDraining = (): boolean => this.#state !== 'working';
  readonly #settle = (): void => this.#cpu.settle();

  #request(stream: WireStream, flags: number, payload: Buffer): void {
    const request = readRequest(flags, payload);
    if (request.upgrades) return this.#webSocket(stream, request);
    const invocation = new HttpInvocation({
      connection: this.#connection,
      stream,
      request,
      scope: new InvocationScope(this, stream.id, request.requestId, request.remainingMs),
      env: this.env,
      cpu: this.#cpu,
      handler: this.#handlers.fetch,
      isDraining: this.#isDraining,
      answersWhole: this.#answersWhole,
    });
    this.#http.add(invocation);
    this.#running++;
    invocation.run(() => {
      this.#http.delete(invocation);
      this.#ended();
    });
  }

  #webSocket(stream: WireStream, request: RequestFrame): void {
    this.#running++;
    const invocation: WebSocketInvocation = new WebSocketInvocation({
      connection: this.#connection,
      stream,
      request,
      scope: new InvocationScope(this, stream.id, request.requestId, request.remainingMs),
      env: this.env,
      cpu: this.#cpu,
      handlers: this.#handlers,
      endsAtTimeout: this.#mode === 'function',
      over: () => {
        this.#webSockets.delete(invocation);
        this.#ended();
      },
    });
    this.#webSockets.add(invocation);
    invocation.run();
    if (this.#state !== 'working') invocation.goAway();
  }

  #call(stream: WireStream, payload: Buffer): void {
    const head = readCallHead(payload);
    const invocation = new CallInvocation({
      connection: this.#connection,
      stream,
      head,
      scope: new InvocationScope(this, stream.id, head.requestId, head.remainingMs),
      env: this.env,
      cpu: this.#cpu,
      handlers: this.#handlers,
      saysAtOnce: this.#saysAtOnce,
    });
    this.#track(invocation.over);
  }

  #track(over: Promise<void>): void {
    this.#running++;
    void over.finally(() => this.#ended());
  }

  #ended(): void {
    this.#running--;
    if (this.#running === 0) this.#onIdle?.();
  }
}

/** Sends a line of output to the server, as one of the invocation that runs at this moment unless `scope` is given. */
export function sendLine(
  connection: WireConnection,
  scope: Scope | null,
  stream: 'stdout' | 'stderr',
  level: Level,
  text: string,
): void {
  if (connection.state !== 'open' || connection.bufferedBytes > MAX_BUFFERED_BYTES) return;
  const requestId = (scope ?? scopes.getStore())?.requestId ?? null;
  const kept = text.length <= MAX_LINE_LENGTH ? text : `${text.slice(0, MAX_LINE_LENGTH)} … (cut)`;
  writeLog(connection.writer, { stream, level, requestId, text: kept });
}

/** Before the module is loaded the server asks for nothing. */
export const LOADING: ConnectionHandler = {
  control: () => undefined,
  opened: () => {
    throw new FulcrumError('wire-protocol', 'The server asked for work before the module was loaded.');
  },
};
