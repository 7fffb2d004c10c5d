import type { Duplex } from 'node:stream';
import { CancelSource } from '../base/cancel.ts';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { requestId } from '../base/ids.ts';
import { accessLine } from './access-line.ts';
import { type AffinityMark, markOf } from './affinity.ts';
import { admit, headOf, type Admission } from './admission.ts';
import { clientBehind } from './client-behind.ts';
import { ownAnswer } from './own-answers.ts';
import { hasFailed } from './outcomes.ts';
import { problemOf } from './problem.ts';
import { linesOf } from './response-fields.ts';
import { spanOf } from './trace.ts';
import type { AppTable } from './app-table.ts';
import type { Connection } from './connection.ts';
import type { Served } from './request-stream.ts';
import type { Head } from './http1/request-reader.ts';
import type { GatewayParts } from './parts.ts';
import type { ServedRelease } from './served-release.ts';
import type { InvocationControl } from '../model/dispatch.ts';
import type { Slot } from '../model/slot.ts';

/** A connection that asks to become something else, such as a WebSocket: given to an instance, which answers on it. */
export class Upgrade implements Served {
  readonly requestId = requestId();
  readonly #parts: GatewayParts;
  readonly #connection: Connection;
  readonly #socket: Duplex;
  readonly #request: Head;
  readonly #early: Uint8Array;
  readonly #caller = new CancelSource();
  readonly #arrivedMs: number;
  /** Where the socket's count stood when the request came: an instance that changed it has answered. */
  readonly #bytesBefore: number;
  readonly #readBefore: number;
  #component = '-';
  #span: string | null = null;
  #path = '-';
  #status = 0;
  #release: ServedRelease | null = null;
  #slot: Slot | null = null;
  #error: FulcrumError | null = null;

  constructor(parts: GatewayParts, connection: Connection, request: Head, socket: Duplex, early: Uint8Array) {
    this.#parts = parts;
    this.#connection = connection;
    this.#socket = socket;
    this.#request = request;
    this.#early = early;
    this.#arrivedMs = parts.clock.monotonicMs();
    this.#bytesBefore = connection.socket.bytesWritten;
    // What came behind the head was read together with it.
    this.#readBefore = connection.socket.bytesRead - early.length;
  }

  /** Everything behind the request's head: there is no telling what of it is whose body. */
  get bytesIn(): number {
    return this.#connection.socket.bytesRead - this.#readBefore;
  }

  /** The answer's head included. */
  get bytesOut(): number {
    return this.#connection.socket.bytesWritten - this.#bytesBefore;
  }

  async serve(apps: AppTable): Promise<void> {
    this.#connection.serve(this);
    try {
      const { admission, release, mark } = this.#read(apps);
      await this.#run(admission, release, mark);
    } catch (error) {
      this.#error = asFulcrumError(error);
    }
    this.#finish();
  }

  gone(error: FulcrumError): void {
    this.#caller.abort(error);
  }

  /** Its bytes are no HTTP any more, and no matter of ours: it has no body, and its instance watches over the rest. */
  bodyData(): boolean {
    return false;
  }

  bodyWhole(): void {}

  bodyBroken(): void {}

  drained(): void {}

  watch(): void {}

  #read(apps: AppTable): { admission: Admission; release: ServedRelease; mark: AffinityMark | null } {
    const own = ownAnswer(this.#request);
    if (own !== null) {
      throw own.kind === 'refusal'
        ? own.error
        : new FulcrumError('upgrade-unsupported', 'The gateway answers this by itself.');
    }
    const admission = admit(this.#parts, apps, this.#request, this.#connection.peer);
    this.#path = admission.path;
    this.#span = spanOf(admission.traceparent);
    const { release, target } = admission;
    this.#release = release;
    if (release === null) throw apps.noApp(this.#parts.hosts.read(admission.view.host)!, admission.path);
    if (target === null) throw new FulcrumError('route-not-found', 'No component has this route.');
    this.#component = target.component;
    if (target.kind !== 'instances') {
      throw new FulcrumError('upgrade-unsupported', 'Neither files nor events can be upgraded.');
    }
    const mark = target.affinity === null ? null : markOf(target.affinity, admission, this.#parts);
    return { admission, release, mark };
  }

  async #run(admission: Admission, release: ServedRelease, mark: AffinityMark | null): Promise<void> {
    const head = headOf(admission, this.#request.method, this.requestId, true);
    const parts = this.#parts;
    const bytesIn = (): number => this.bytesIn;
    const bytesOut = (): number => this.bytesOut;
    const seed = {
      requestId: this.requestId,
      traceparent: admission.traceparent,
      trigger: 'route' as const,
      signal: this.#caller,
      deadlineMs: null,
      get client() {
        return clientBehind(admission.view, parts.proxies, release.proxies);
      },
      affinityKey: mark?.key ?? null,
      get bytesIn() {
        return bytesIn();
      },
      get bytesOut() {
        return bytesOut();
      },
    };
    const end = await release.dispatcher.run(this.#component, seed, async (slot, context, control) => {
      this.#slot = slot;
      const line = slot.mode === 'service' ? (mark?.cookieLine ?? '') : '';
      onFirstWrite(this.#socket, line, (status) => this.#answered(status, control));
      const end = await slot.instance.upgrade({ context, head, socket: this.#socket, early: this.#early });
      if (this.#status === 0) control.status(end.error?.status ?? (this.#touched ? 101 : 502));
      return end;
    });
    this.#error = end.error;
  }

  get #touched(): boolean {
    return this.#connection.socket.bytesWritten !== this.#bytesBefore;
  }

  #answered(status: number, control: InvocationControl): void {
    this.#status = status;
    control.status(status);
    control.answered();
  }

  /** The instance is done with the socket: answers where it has not, and closes. */
  #finish(): void {
    if (this.#touched || this.#connection.state === 'gone' || !this.#socket.writable) {
      if (this.#status === 0) this.#status = this.#touched ? 101 : 499;
      this.#socket.destroy();
    } else {
      this.#refuse(
        this.#error ?? new FulcrumError('bad-response', 'The component did not answer the upgrade.'),
      );
    }
    this.#writeLine();
  }

  #refuse(error: FulcrumError): void {
    this.#error = error;
    const problem = problemOf({
      error,
      requestId: this.requestId,
      component: this.#component,
      dev: this.#parts.dev,
    });
    this.#status = problem.status;
    const { writer } = this.#connection;
    const bodyBytes = problem.body.length;
    const framing = { bodyBytes, sendsBody: true, minor: 1, closes: true, dated: false } as const;
    writer.begin(problem.status, linesOf(problem.fields), framing);
    writer.data(problem.body);
    writer.end();
    this.#connection.linger();
  }

  #writeLine(): void {
    const { clock, log } = this.#parts;
    const durationMs = clock.monotonicMs() - this.#arrivedMs;
    const release = this.#release;
    release?.outcomes?.ended(this.#status, hasFailed(this.#status, this.#error));
    (release === null ? log : release.log).write(
      accessLine({
        app: release?.app ?? null,
        atMs: clock.nowMs() - durationMs,
        component: this.#component,
        requestId: this.requestId,
        method: this.#request.method,
        path: this.#path,
        status: this.#status,
        waitedMs: this.#slot?.waitedMs ?? 0,
        durationMs,
        cold: this.#slot?.cold ?? false,
        bytesOut: this.bytesOut,
        instance: this.#slot?.instance.id ?? null,
        revision: this.#slot?.instance.revision.id ?? null,
        span: this.#span,
        error: this.#error,
      }),
    );
  }
}

/**
 * Calls `seen` with the status of the first thing written, and adds `line` to its head. The port hands over the bare socket, so that its
 * bytes pass through no further stream; the moment of the answer can only be seen here.
 */
function onFirstWrite(socket: Duplex, line: string, seen: (status: number) => void): void {
  const write = socket.write.bind(socket);
  socket.write = ((...args: Parameters<Duplex['write']>): boolean => {
    socket.write = write;
    const [first, ...others] = args;
    const text = typeof first === 'string' ? first : Buffer.from(first).toString('latin1', 0, 16);
    const match = /^HTTP\/1\.[01] (\d{3})/.exec(text);
    seen(match === null ? 101 : Number(match[1]));
    if (match === null || line === '') return write(...args);
    return write(withLine(first, line), ...others);
  }) as Duplex['write'];
}

/** An answer's first bytes with a field line behind the status line; as they are where that is not whole yet. */
function withLine(first: string | Uint8Array, line: string): string | Uint8Array {
  const bytes = typeof first === 'string' ? Buffer.from(first, 'latin1') : Buffer.from(first);
  const end = bytes.indexOf('\r\n') + 2;
  return end === 1 ? first : Buffer.concat([bytes.subarray(0, end), Buffer.from(line), bytes.subarray(end)]);
}
