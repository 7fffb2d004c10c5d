import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { FulcrumError, asFulcrumError } from '../../base/errors.ts';
import { MAX_EVENT_BYTES } from '../../base/event-limits.ts';
import { requestId } from '../../base/ids.ts';
import type { InstanceHome } from '../../model/instance.ts';
import type { BodySource } from '../../model/body.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationResult,
  Payload,
  Returned,
  ThrownError,
} from '../../model/invocation.ts';
import { CalledIntake } from './called-intake.ts';
import { grantPayload, sendPayload, writeCallAnswer, type CallFrame } from './call-frame.ts';
import { ChannelIn } from './channel-in.ts';
import { ChannelOut } from './channel-out.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { askerOf, contextAt } from './in-process-caller.ts';
import {
  MAX_ASSEMBLED_BYTES,
  MAX_CALL_CHANNELS,
  MAX_PAYLOAD_BYTES,
  MAX_PUBLISHING_BYTES,
  ORPHAN_TIMEOUT_MS,
} from './limits.ts';
import type { CallHead, EventHead } from './messages.ts';
import { openFetch } from './outbound-fetches.ts';
import { PayloadBuffer } from './payload-buffer.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';
import { noteRefusal } from './refused-calls.ts';
import { asEnginesFormat } from './text-value.ts';
import { thrownOf, type Failure } from './thrown.ts';
import { tooLarge } from './too-large.ts';

/** What an instance asks of others, and what bounds it. */
interface Asked {
  readonly mostBytes: number;
  readonly tooLarge: () => FulcrumError;
  /** Whether the body is held until it is answered, and not only until it is whole. */
  readonly holds: boolean;
  /** Streams and signals that may come with it. */
  readonly mostChannels: number;
  /** Never rejects. */
  readonly answer: (asked: Question) => Promise<InvocationResult>;
}

/** What has come whole. */
interface Question {
  readonly bytes: Uint8Array;
  readonly passed: readonly BodySource[];
  /** Takes what is returned before all is over. */
  readonly onReturned: (returned: Returned) => void;
}

/** What one instance asks for, calls of other components and events to be published, at the server's end. */
export class OutboundCalls {
  readonly #component: string;
  readonly #connection: WireConnection;
  readonly #home: InstanceHome;
  readonly #clock: Clock;
  readonly #members: readonly string[] | null;
  readonly #gone = new AbortController();
  /** Calls and requests that are not over, by the invocation that waits for them. */
  readonly #waiting = new Map<InvocationContext, number>();
  #assembledBytes = 0;
  /** Of events, until they are kept. */
  #publishingBytes = 0;

  /** @param component or the group. @param members of a group. */
  constructor(
    component: string,
    connection: WireConnection,
    home: InstanceHome,
    clock: Clock,
    members: readonly string[] | null = null,
  ) {
    this.#component = component;
    this.#members = members;
    this.#connection = connection;
    this.#home = home;
    this.#clock = clock;
  }

  /** The instance is gone: calls that no invocation has made are given up; the others have their invocation's signal. */
  close(): void {
    this.#gone.abort(new FulcrumError('client-gone', 'The instance that made the call has ended.'));
  }

  /** How many invocations wait for what they have called. */
  get calling(): number {
    return this.#waiting.size;
  }

  /** The instance has opened a stream with CALL. */
  opened(stream: WireStream, frame: CallFrame): void {
    const { head } = frame;
    if (head.kind === 'fetch') return this.#fetch(stream, head);
    stream.handler = this.#receive(stream, frame, this.#asked(head));
  }

  #fetch(stream: WireStream, head: CallHead): void {
    const { to, request } = head;
    if (to === null || !request) throw protocolError('a request of an instance for no component');
    const from = askerOf(head, this.#component, this.#members);
    const parent = this.#contextOf(head, from) ?? this.#orphan(from);
    const invocation = this.#invocationOf(head);
    openFetch(stream, request, {
      connection: this.#connection,
      caller: this.#home.caller,
      from,
      to,
      parent,
      // It is the invocation that fails because of it, wherever in its process the request was made.
      invocation: invocation ?? parent,
      over: this.#waits(invocation),
    });
  }

  /** What takes the calls that a group's instance has made within its process; null of one component's. */
  calledIntake(say: (text: string) => void): CalledIntake | null {
    if (this.#members === null) return null;
    return new CalledIntake({ members: this.#members, sink: this.#home.calls, clock: this.#clock, say });
  }

  #asked(head: CallHead): Asked {
    const { kind, to, function: functionName, encoding, event } = head;
    const from = askerOf(head, this.#component, this.#members);
    const by = this.#contextOf(head, from);
    if (kind === 'publish' && event) {
      return {
        mostBytes: MAX_EVENT_BYTES,
        tooLarge: eventTooLarge,
        holds: true,
        mostChannels: 0,
        answer: ({ bytes }) => this.#publish(from, event, by?.traceparent ?? null, bytes),
      };
    }
    if (kind !== 'call' || to === null || functionName === null)
      throw protocolError('a CALL from an instance that names no function');
    return {
      mostBytes: MAX_PAYLOAD_BYTES,
      tooLarge: () => tooLarge('arguments'),
      holds: false,
      mostChannels: MAX_CALL_CHANNELS,
      answer: ({ bytes, passed, onReturned }) => {
        const streams = passed.length === 0 ? {} : { passed };
        const args = { encoding, bytes };
        return this.#call(from, to, { kind, function: functionName, args, ...streams, onReturned }, head);
      },
    };
  }

  #receive(stream: WireStream, frame: CallFrame, asked: Asked): StreamHandler {
    const body = new PayloadBuffer(asked.mostBytes);
    const passed: ChannelIn[] = [];
    let returned: readonly ChannelOut[] = [];
    let state: 'body' | 'running' | 'returned' | 'over' = 'body';
    /** Of what was returned already: how it ended, told when all of it is sent. */
    let ended: InvocationResult | null = null;
    const hold = (bytes: number): boolean => {
      if (asked.holds) return (this.#publishingBytes += bytes) <= MAX_PUBLISHING_BYTES;
      return (this.#assembledBytes += bytes) <= MAX_ASSEMBLED_BYTES;
    };
    const release = (): void => void hold(-body.lengthBytes);
    const answer = (result: InvocationResult): void => {
      if (state === 'over') return;
      for (const source of passed) source.fail(callOver());
      for (const channel of returned) if (result.error !== null) channel.close(result.error);
      if (state === 'returned' && result.error === null && !stream.sent) {
        ended = result;
        return;
      }
      const isTold = state === 'returned' && result.error === null;
      state = 'over';
      if (isTold) this.#done(stream);
      else this.#answer(stream, frame, result);
    };
    const onReturned = ({ value, passed: sources }: Returned): void => {
      if (state !== 'running' || value.encoding !== frame.head.encoding) {
        for (const source of sources) source.cancel();
        return;
      }
      state = 'returned';
      returned = sources.map((source, number) => new ChannelOut(this.#connection, stream, number, source));
      sendPayload(stream, frame.answersWhole ? value.bytes : olderBytes(value));
      stream.endBody();
    };
    const arrived = (bytes: Uint8Array): void => {
      state = 'running';
      void asked.answer({ bytes, passed, onReturned }).then((result) => {
        if (asked.holds) release();
        answer(result);
      });
    };
    const isGranted = grantPayload(stream, frame);
    if (frame.payload !== null) arrived(Buffer.from(frame.payload));
    return {
      context: null,
      data: (chunk) => {
        if (state === 'over') return;
        if (state !== 'body') throw protocolError('data behind the end of a body');
        const fits = hold(chunk.length);
        if (body.push(chunk) && fits) {
          if (!isGranted) stream.consumed(chunk.length);
          return;
        }
        release();
        answer(failed(fits || !asked.holds ? asked.tooLarge() : tooMuchAtATime()));
      },
      frame: (type) => {
        // The instance's own calls are given up with their invocation; it does not do so one by one.
        if (type === FRAME.ABORT) return;
        if (state !== 'body' || type !== FRAME.BODY_END) {
          throw protocolError(`frame of type ${type} in a call's stream`);
        }
        if (!asked.holds) release();
        arrived(body.take());
      },
      channel: (channel, number) => {
        if (state !== 'body' || number !== passed.length || number >= asked.mostChannels)
          throw protocolError('a channel of arguments out of turn');
        passed.push(new ChannelIn(this.#connection, channel));
      },
      drained: () => {
        if (state === 'over') this.#done(stream);
        else if (ended !== null) answer(ended);
      },
      stopped: () => this.#done(stream),
      lost: () => {
        if (state === 'body') release();
        state = 'over';
      },
    };
  }

  async #call(from: string, to: string, invocation: Invocation, head: CallHead): Promise<InvocationResult> {
    const caller = this.#invocationOf(head);
    const over = this.#waits(caller);
    try {
      const parent = this.#contextOf(head, from) ?? this.#orphan(from);
      const result = await this.#home.caller.call(from, to, invocation, parent);
      // It is the invocation that fails because of it, wherever in its process the call was made.
      if (result.error !== null) noteRefusal(caller ?? parent, to, result.error);
      return result;
    } catch (error) {
      return failed(asFulcrumError(error));
    } finally {
      over();
    }
  }

  /** @param caller null: what calls is no invocation, or one that is over. @returns what ends the waiting. */
  #waits(caller: InvocationContext | null): () => void {
    if (caller === null) return NOTHING;
    this.#waiting.set(caller, (this.#waiting.get(caller) ?? 0) + 1);
    return () => {
      const left = this.#waiting.get(caller)! - 1;
      if (left === 0) this.#waiting.delete(caller);
      else this.#waiting.set(caller, left);
    };
  }

  /** What has been published is published, whatever becomes of the instance. */
  async #publish(
    from: string,
    event: EventHead,
    traceparent: string | null,
    data: Uint8Array,
  ): Promise<InvocationResult> {
    try {
      const extensions = traceparent === null ? {} : { traceparent };
      const order = { ...event, data, id: null, source: null, timeMs: null, extensions };
      const [published] = await this.#home.publisher.publish(from, [order]);
      const bytes = Buffer.from(JSON.stringify(published));
      const value = { encoding: 'json', bytes } as const;
      return { outcome: 'ok', error: null, cpuMs: 0, value, thrown: null };
    } catch (error) {
      return failed(asFulcrumError(error));
    }
  }

  #answer(stream: WireStream, { head, answersWhole }: CallFrame, result: InvocationResult): void {
    if (result.value === null || result.value.encoding !== head.encoding) {
      const error =
        result.error ??
        new FulcrumError('internal', 'A call was answered in another encoding than it was made in.');
      const failure: Failure = {
        code: error.code,
        message: error.message,
        thrown: result.thrown ?? thrownOf(error),
        cpuMicros: 0,
        retryAfterS: error.retryAfterS,
      };
      this.#connection.writer.json(FRAME.FAILED, 0, stream.id, failure);
      this.#connection.forget(stream);
    } else if (answersWhole && writeCallAnswer(this.#connection.writer, stream.id, result.value.bytes, 0)) {
      this.#connection.forget(stream);
    } else if (sendPayload(stream, answersWhole ? result.value.bytes : olderBytes(result.value))) {
      this.#done(stream);
    }
  }

  #done(stream: WireStream): void {
    if (this.#connection.stream(stream.id) !== stream) return;
    this.#connection.writer.number(FRAME.DONE, stream.id, 0);
    this.#connection.forget(stream);
  }

  /** The one that asks, if it still runs. */
  #invocationOf({ parent }: CallHead): InvocationContext | null {
    return parent === null ? null : (this.#connection.stream(parent)?.handler.context ?? null);
  }

  /** The same, as it is where `from` asks. */
  #contextOf(head: CallHead, from: string): InvocationContext | null {
    const invocation = this.#invocationOf(head);
    if (invocation === null || this.#members === null) return invocation;
    return contextAt(head, from, this.#members, invocation, this.#clock);
  }

  #orphan(from: string): InvocationContext {
    return {
      component: from,
      call: null,
      requestId: requestId(),
      traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
      trigger: 'call',
      deadlineMs: this.#clock.monotonicMs() + ORPHAN_TIMEOUT_MS,
      signal: this.#gone.signal,
    };
  }
}

const NOTHING = (): void => undefined;

function callOver(): FulcrumError {
  return new FulcrumError('client-gone', 'The call that the stream was passed with is over.');
}

/** Whoever asks in JSON may know no values that are text. */
function olderBytes({ encoding, bytes }: Payload): Uint8Array {
  return encoding === 'clone' ? asEnginesFormat(bytes) : bytes;
}

function eventTooLarge(): FulcrumError {
  return new FulcrumError('event-invalid', "An event's data takes more than 1 MB.");
}

function tooMuchAtATime(): FulcrumError {
  const message = 'The events that this instance publishes at a time take more than 32 MB.';
  return new FulcrumError('overloaded', message, { retryAfterS: 1 });
}

function failed(error: FulcrumError): InvocationResult {
  const thrown: ThrownError = thrownOf(error);
  return { outcome: 'handler-error', error, cpuMs: 0, value: null, thrown };
}
