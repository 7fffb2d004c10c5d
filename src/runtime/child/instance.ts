import { FulcrumError } from '../../base/errors.ts';
import { Registry } from '../../base/registry.ts';
import type { CallStep } from '../../model/invocation.ts';
import { readCall, type CallFrame } from '../wire/call-frame.ts';
import type { ConnectionHandler, WireConnection } from '../wire/connection.ts';
import { ANSWER_MINOR, COMPOSE_MINOR, EVENT_MINOR, FRAME } from '../wire/frames.ts';
import { chainWith, readChain } from '../wire/chain-text.ts';
import {
  readJson,
  readRequest,
  writeLog,
  type Init,
  type Level,
  type RequestFrame,
} from '../wire/messages.ts';
import type { WireStream } from '../wire/stream.ts';
import type { Failure } from '../wire/thrown.ts';
import { CallInvocation } from './call-invocation.ts';
import type { CallRecords } from './call-records.ts';
import { CpuMeter } from './cpu-meter.ts';
import { letGoOfStreams } from './held-streams.ts';
import { HttpInvocation } from './http-invocation.ts';
import { InvocationScope, scopes, type InvocationHost, type Scope } from './invocation.ts';
import type { LocalCalls } from './local-calls.ts';
import type { Member, Members } from './members.ts';
import { WebSocketInvocation } from './websocket-invocation.ts';

/** Of a group: what is called within its process, and what the server is told of that. */
interface LocalDuties {
  readonly calls: LocalCalls;
  readonly records: CallRecords;
}

/** Lines wait in memory while the server reads slowly; beyond this they are dropped. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const MAX_LINE_LENGTH = 16 * 1024;

/** Loaded modules at work: what comes over the wire becomes calls of their handlers. */
export class ChildInstance implements ConnectionHandler, InvocationHost {
  readonly #connection: WireConnection;
  readonly #members: Members;
  readonly #local: LocalDuties | null;
  readonly #answersWhole: boolean;
  readonly #saysAtOnce: boolean;
  readonly #passes: boolean;
  readonly #mode: Init['mode'];
  readonly #cpu: CpuMeter;
  readonly #http = new Registry<HttpInvocation>();
  readonly #webSockets = new Registry<WebSocketInvocation>();
  #running = 0;
  #state: 'working' | 'draining' | 'ending' = 'working';
  #onIdle: (() => void) | null = null;

  /** @param local of a group. */
  constructor(connection: WireConnection, init: Init, members: Members, local: LocalDuties | null = null) {
    this.#connection = connection;
    this.#members = members;
    this.#local = local;
    this.#mode = init.mode;
    this.#answersWhole = init.minor >= ANSWER_MINOR;
    this.#saysAtOnce = init.minor >= EVENT_MINOR;
    this.#passes = init.minor >= COMPOSE_MINOR;
    const atTurnEnd = (): void => connection.writer.beforeFlush(this.#settle);
    this.#cpu = new CpuMeter(atTurnEnd);
    local?.records.begin(atTurnEnd);
    connection.handler = this;
  }

  control(type: number, _flags = 0, payload: Buffer = NO_PAYLOAD): void {
    if (type === FRAME.VIA_SERVER) this.#local?.calls.callThroughServer(readViaServer(payload));
    if (type !== FRAME.GO_AWAY) return;
    if (this.#state === 'working') this.#state = 'draining';
    for (const invocation of this.#http.all()) invocation.goAway();
    for (const invocation of this.#webSockets.all()) invocation.goAway();
  }

  opened(stream: WireStream, type: number, flags: number, payload: Buffer): void {
    if (type === FRAME.REQUEST) this.#request(stream, readRequest(flags, payload));
    else this.#call(stream, readCall(flags, payload));
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
  readonly #settle = (): void => {
    // Before the ends that come with it: who has heard of an end has heard of all that led to it.
    this.#local?.records.flush();
    this.#cpu.settle();
  };

  #request(stream: WireStream, request: RequestFrame): void {
    const member = this.#members.meant(request.member?.component);
    if (member === null) return this.#notHere(stream, request.member?.component);
    if (request.upgrades) return this.#webSocket(stream, request, member);
    const scope = this.#scopeOf(stream, request, member, requestStep(request));
    const invocation = new HttpInvocation({
      connection: this.#connection,
      stream,
      request,
      scope,
      env: member.env,
      cpu: this.#cpu,
      handler: member.handlers.fetch,
      isDraining: this.#isDraining,
      answersWhole: this.#answersWhole,
    });
    this.#http.add(invocation);
    this.#running++;
    invocation.run(() => {
      letGoOfStreams(scope);
      this.#http.delete(invocation);
      this.#ended(scope);
    });
  }

  #webSocket(stream: WireStream, request: RequestFrame, member: Member): void {
    this.#running++;
    const scope = this.#scopeOf(stream, request, member, requestStep(request));
    const invocation: WebSocketInvocation = new WebSocketInvocation({
      connection: this.#connection,
      stream,
      request,
      scope,
      env: member.env,
      cpu: this.#cpu,
      handlers: member.handlers,
      endsAtTimeout: this.#mode === 'function',
      over: () => {
        letGoOfStreams(scope);
        this.#webSockets.delete(invocation);
        this.#ended(scope);
      },
    });
    this.#webSockets.add(invocation);
    invocation.run();
    if (this.#state !== 'working') invocation.goAway();
  }

  #call(stream: WireStream, call: CallFrame): void {
    const { head } = call;
    const member = this.#members.meant(head.component);
    if (member === null) return this.#notHere(stream, head.component);
    const scope = this.#scopeOf(stream, head, member, chainWith(null, head.path ?? []));
    const invocation = new CallInvocation({
      connection: this.#connection,
      stream,
      call,
      scope,
      env: member.env,
      cpu: this.#cpu,
      handlers: member.handlers,
      saysAtOnce: this.#saysAtOnce,
      passes: this.#passes,
    });
    this.#running++;
    void invocation.over.finally(() => this.#ended(scope));
  }

  #scopeOf(
    stream: WireStream,
    { requestId, remainingMs, traceparent }: Pick<RequestFrame, 'requestId' | 'remainingMs' | 'traceparent'>,
    member: Member,
    step: CallStep | null,
  ): InvocationScope {
    const { component } = member;
    const name = this.#members.nameOf(member);
    const what = { requestId, remainingMs, traceparent, component, member: name, step };
    return new InvocationScope({ host: this, stream: stream.id, ...what });
  }

  /** The server has asked the wrong process. */
  #notHere(stream: WireStream, component: string | null | undefined): void {
    const message = `This instance holds no component "${component ?? ''}".`;
    const failure: Failure = { code: 'handler-missing', message, thrown: null, cpuMicros: 0 };
    this.#connection.writer.json(FRAME.FAILED, 0, stream.id, failure);
    this.#connection.forget(stream);
  }

  #ended(scope: InvocationScope): void {
    scope.end();
    this.#running--;
    if (this.#running === 0) this.#onIdle?.();
  }
}

const NO_PAYLOAD = Buffer.alloc(0);

function requestStep({ member }: RequestFrame): CallStep | null {
  return member ? readChain(member.chain) : null;
}

function readViaServer(payload: Buffer): string[] {
  const { members } = readJson(payload);
  return Array.isArray(members) ? members.filter((name) => typeof name === 'string') : [];
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
  const of = scope ?? scopes.getStore();
  const requestId = of?.requestId ?? null;
  const kept = text.length <= MAX_LINE_LENGTH ? text : `${text.slice(0, MAX_LINE_LENGTH)} … (cut)`;
  writeLog(connection.writer, { member: of?.member ?? null, stream, level, requestId, text: kept });
}

/** Before the module is loaded the server asks for nothing. */
export const LOADING: ConnectionHandler = {
  control: () => undefined,
  opened: () => {
    throw new FulcrumError('wire-protocol', 'The server asked for work before the module was loaded.');
  },
};
