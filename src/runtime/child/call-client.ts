import { FulcrumError } from '../../base/errors.ts';
import type { MadeEvent } from '../../sdk/event.ts';
import type { PublishedEvent } from '../../sdk/handler-types.ts';
import type { BodySource } from '../../model/body.ts';
import { readCallAnswer, writeCall } from '../wire/call-frame.ts';
import { ChannelIn } from '../wire/channel-in.ts';
import { ChannelOut } from '../wire/channel-out.ts';
import { COMPOSE_MINOR, FRAME } from '../wire/frames.ts';
import { MAX_CALL_CHANNELS, MAX_INSTANCE_CHANNELS } from '../wire/limits.ts';
import type { CallHead } from '../wire/messages.ts';
import { PayloadBuffer } from '../wire/payload-buffer.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { tooLarge } from '../wire/too-large.ts';
import { failureOf, notMade, withCaller } from './call-errors.ts';
import type { CallSlots } from './call-slots.ts';
import { askingHead, whoAsks } from './caller.ts';
import { sourceOf } from './channel-sources.ts';
import type { Packed } from './crossing.ts';
import { holdStreams } from './held-streams.ts';
import { callOver, IncomingChannel } from './incoming-channel.ts';
import { scopes } from './invocation.ts';
import type { Link } from './link.ts';
import type { Members } from './members.ts';
import { decodeValue, packValue, unpackValue } from './values.ts';

/** What is asked of the server, and what with it. */
interface Order {
  readonly head: Partial<CallHead>;
  readonly bytes: Uint8Array;
  /** What of it is held until it is answered. */
  readonly publishingBytes: number;
  readonly passed: readonly BodySource[];
}

/** A value that is whole, while the streams in it may be under way still. */
interface Answer {
  readonly bytes: Uint8Array;
  readonly passed: readonly IncomingChannel[];
}

/** What this instance asks of others: calls of other components, and events to be published. */
export class CallClient {
  readonly #link: Link;
  readonly #members: Members;
  readonly #minor: number;
  readonly #slots: CallSlots;

  /** @param minor the version of the wire that the server speaks. */
  constructor(link: Link, members: Members, slots: CallSlots, minor: number) {
    this.#link = link;
    this.#minor = minor;
    this.#members = members;
    this.#slots = slots;
  }

  /** Rejects with what the function threw, or with an error that carries a code of Fulcrum's. */
  async call(component: string, functionName: string, args: readonly unknown[]): Promise<unknown> {
    const scope = scopes.getStore();
    const asking = askingHead(this.#members);
    const { bytes, passed } = this.#packed(component, functionName, args);
    const head: Partial<CallHead> = {
      kind: 'call',
      function: functionName,
      encoding: 'clone',
      to: component,
      ...asking,
    };
    const order = { head, bytes, publishingBytes: 0, passed: passed.map(sourceOf) };
    const answer = await this.#ask(order);
    if (scope !== undefined && answer.passed.length > 0) holdStreams(scope, answer.passed);
    try {
      return unpackValue(answer.bytes, answer.passed);
    } catch (error) {
      for (const channel of answer.passed) channel.close(error);
      throw error;
    }
  }

  /** Throws what keeps the arguments from crossing. */
  #packed(component: string, functionName: string, args: readonly unknown[]): Packed {
    try {
      const packed = packValue(args, 'arguments');
      if (packed.passed.length > 0) this.#ensureChannels(packed.passed.length);
      return packed;
    } catch (error) {
      throw withCaller(notMade(error, whoAsks(this.#members), component, functionName));
    }
  }

  /** Resolves when the event is kept. Rejects with an error that carries a code of Fulcrum's. */
  async publish({ data, ...event }: MadeEvent): Promise<PublishedEvent> {
    const head: Partial<CallHead> = {
      kind: 'publish',
      event,
      encoding: 'json',
      ...askingHead(this.#members),
    };
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const order = { head, bytes, publishingBytes: bytes.length, passed: [] };
    return decodeValue((await this.#ask(order)).bytes, 'json') as PublishedEvent;
  }

  async #ask(order: Order): Promise<Answer> {
    try {
      if (!this.#slots.takeNow(order.publishingBytes)) await this.#slots.take(order.publishingBytes);
    } catch (error) {
      for (const source of order.passed) source.cancel();
      throw error;
    }
    try {
      return await this.#send(order);
    } catch (error) {
      throw withCaller(error);
    }
  }

  /** Throws where there is no room for so many streams. Nobody waits for it: whoever holds it may wait for this call. */
  #ensureChannels(count: number): void {
    if (this.#minor < COMPOSE_MINOR) {
      const message =
        'The server is an older Fulcrum, which passes no streams and signals between components. Upgrade it.';
      throw new FulcrumError('call-not-cloneable', message);
    }
    if (this.#link.connection.channels + count <= MAX_INSTANCE_CHANNELS) return;
    const message = `This instance has ${MAX_INSTANCE_CHANNELS} streams under way that it has passed, or got from calls. Read them to the end, or cancel them, before you pass more.`;
    throw new FulcrumError('overloaded', message);
  }

  #send({ head, bytes, publishingBytes, passed }: Order): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { connection } = this.#link;
    const stream = connection.open();
    const value = new PayloadBuffer();
    const returned: IncomingChannel[] = [];
    let outs: readonly ChannelOut[] = [];
    let state: 'running' | 'answered' | 'held' | 'over' = 'running';
    /** The value is whole; what was returned with it goes on. */
    const answered = (): void => {
      state = 'answered';
      if (connection.channels < MAX_INSTANCE_CHANNELS) {
        connection.channels++;
        state = 'held';
        this.#slots.release(publishingBytes);
      }
      resolve({ bytes: value.take(), passed: returned });
    };
    const over = (): void => {
      if (state === 'over') return;
      if (state === 'held') connection.channels--;
      else this.#slots.release(publishingBytes);
      state = 'over';
      for (const out of outs) out.close(null);
    };
    stream.handler = {
      context: null,
      channel: (channel, number) => {
        if (state !== 'running' || number !== returned.length || number >= MAX_CALL_CHANNELS)
          throw protocolError('a channel of a result out of turn');
        returned.push(new IncomingChannel(new ChannelIn(connection, channel)));
      },
      data: (chunk) => {
        if (value.push(chunk)) stream.consumed(chunk.length);
        else {
          over();
          reject(tooLarge('result'));
        }
      },
      frame: (type, _flags, payload) => {
        if (type === FRAME.BODY_END) {
          if (state === 'running') answered();
        } else if (type === FRAME.DONE) {
          connection.forget(stream);
          over();
          resolve({ bytes: value.take(), passed: returned });
        } else if (type === FRAME.ANSWER) {
          const { value: bytes } = readCallAnswer(payload);
          connection.forget(stream);
          over();
          resolve({ bytes, passed: returned });
        } else if (type === FRAME.FAILED) {
          connection.forget(stream);
          // Those of a result that was whole end by themselves.
          if (state === 'running') for (const channel of returned) channel.close(callOver());
          over();
          reject(failureOf(payload));
        }
      },
      drained: () => undefined,
      stopped: () => undefined,
      lost: (error) => {
        over();
        reject(error);
      },
    };
    const pass = (): void => {
      outs = passed.map((source, number) => new ChannelOut(connection, stream, number, source));
    };
    writeCall(connection.writer, stream, head, bytes, this.#minor, passed.length === 0 ? null : pass);
    return promise;
  }
}
