import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.ts';
import { asFulcrumError, type FulcrumError } from '../../base/errors.ts';
import { TokenBucket } from '../process/token-bucket.ts';
import { FIRST_OPTIONAL_TYPE, FRAME } from './frames.ts';
import { FrameParser, type FrameHandler } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import { MAX_FRAME_BYTES } from './limits.ts';
import { protocolError } from './protocol-error.ts';
import { StreamTable } from './stream-table.ts';
import { WireStream } from './stream.ts';

/** What one end does with what concerns the connection as a whole. Whatever it throws ends the connection. */
export interface ConnectionHandler {
  /** A frame of stream 0, other than PING and PONG. */
  control(type: number, flags: number, payload: Buffer): void;
  /** The peer has opened a stream; its `handler` must be set before this returns. */
  opened(stream: WireStream, type: number, flags: number, payload: Buffer): void;
}

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly side: 'server' | 'instance';
  readonly clock: Clock;
  readonly handler: ConnectionHandler;
  /** Streams that the peer may have open at a time. */
  readonly maxPeerStreams: number;
  /** Largest frame until {@link WireConnection.allow} says otherwise. */
  readonly maxFrameBytes: number;
  /** What the socket reads is given to {@link WireConnection.receive} by whoever made it, and not by its events. */
  readonly adopts?: boolean;
}

/**
 * Frames that cost us work and the peer nothing, in bytes a second and at once (a frame counts at least 64). Whoever sends
 * more is read more slowly. Requests and answers are not among them: credit and the number of streams bound those.
 */
const IDLE_BYTES_PER_S = 16 * 1024 * 1024;
const IDLE_BURST_BYTES = 8 * 1024 * 1024;
const MIN_COST_BYTES = 64;

const MAX_STREAM_ID = 0xffff_fff0;

/** One end of a connection: cuts frames, keeps streams apart, gathers what is sent. */
export class WireConnection {
  /** For frames that are no stream's business; flushed once per turn of the loop. */
  readonly writer: FrameWriter;
  /** Resolves when the connection is gone, with the reason where it was broken. */
  readonly closed: Promise<FulcrumError | null>;
  readonly #socket: Socket;
  readonly #parser: FrameParser;
  readonly #clock: Clock;
  readonly #streams = new StreamTable();
  /** Numbers of ours that were used and are free again. */
  readonly #freeIds: number[] = [];
  readonly #maxPeerStreams: number;
  readonly #ownParity: 0 | 1;
  readonly #idleBytes: TokenBucket;
  readonly #pings = new Map<number, (answered: boolean) => void>();
  readonly #onClosed: (error: FulcrumError | null) => void;
  handler: ConnectionHandler;
  /** Of the streams that this end has open: those that {@link MAX_INSTANCE_CHANNELS} bounds. Kept by whoever opens them. */
  channels = 0;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #error: FulcrumError | null = null;
  #peerStreams = 0;
  #nextId: number;
  #nextPing = 1;
  #pause: Timer | null = null;

  constructor(options: ConnectionOptions) {
    const { socket } = options;
    this.#socket = socket;
    this.#clock = options.clock;
    this.handler = options.handler;
    this.#maxPeerStreams = options.maxPeerStreams;
    this.#ownParity = options.side === 'server' ? 1 : 0;
    this.#nextId = this.#ownParity === 1 ? 1 : 2;
    this.#idleBytes = new TokenBucket(options.clock, IDLE_BYTES_PER_S, IDLE_BURST_BYTES);
    this.writer = new FrameWriter(socket);
    const frames: FrameHandler = {
      frame: (type, flags, stream, payload) => this.#frame(type, flags, stream, payload),
      data: (stream, chunk) => this.#data(stream, chunk),
    };
    this.#parser = new FrameParser(frames, options.maxFrameBytes);
    const closed = Promise.withResolvers<FulcrumError | null>();
    this.closed = closed.promise;
    this.#onClosed = closed.resolve;
    if (options.adopts !== true) socket.on('data', (chunk: Buffer) => this.receive(chunk));
    // A reset says no more than the close that follows: the peer's process knows why it went.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
    // The peer only ever ends the whole connection, never one direction of it.
    socket.on('end', () => socket.destroy());
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Bytes that the operating system has not yet taken. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** The peer has shown who it is: frames may have their full length. */
  allow(): void {
    this.#parser.allow(MAX_FRAME_BYTES);
  }

  /** A new stream of ours. The frame that opens it must be written next. */
  open(): WireStream {
    const stream = new WireStream(this.#freeIds.pop() ?? this.#newId(), this.writer);
    this.#streams.set(stream);
    return stream;
  }

  /** The stream is over: DONE or FAILED has been sent or has come. */
  forget(stream: WireStream): void {
    stream.end();
    if (!this.#streams.delete(stream)) return;
    // Whatever of ours is still on its way for this number arrives before what is sent under it next.
    if (this.#isOurs(stream.id)) this.#freeIds.push(stream.id);
    else this.#peerStreams--;
  }

  /** An open stream, or null. */
  stream(id: number): WireStream | null {
    return this.#streams.get(id);
  }

  /** Resolves whether the peer answered a ping in time. */
  ping(timeoutMs: number): Promise<boolean> {
    if (this.#state !== 'open') return Promise.resolve(false);
    const id = this.#nextPing;
    this.#nextPing = (this.#nextPing % 0xffff_ffff) + 1;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (answered: boolean): void => {
      timer.cancel();
      this.#pings.delete(id);
      resolve(answered);
    };
    const timer = this.#clock.after(timeoutMs, () => settle(false));
    this.#pings.set(id, settle);
    this.writer.number(FRAME.PING, 0, id);
    return promise;
  }

  flush(): void {
    if (this.#state === 'open') this.writer.flush();
  }

  /** Ends the connection. Its streams stay until {@link loseStreams} tells them why. */
  close(error: FulcrumError | null = null): void {
    if (this.#state !== 'open') return;
    this.#error = error;
    this.writer.flush();
    this.#state = 'closing';
    this.#socket.destroySoon();
    this.#pause?.cancel();
    // What it still sends is read by nobody, and would otherwise keep its end from coming.
    this.#socket.resume();
  }

  /** Ends the connection at once: what was not yet sent is thrown away. */
  destroy(): void {
    this.close();
    this.#socket.destroy();
  }

  /** Tells every stream that it is lost. For whoever knows why the connection has gone. */
  loseStreams(error: FulcrumError): void {
    const streams = this.#streams.takeAll();
    this.#peerStreams = 0;
    for (const stream of streams) {
      stream.end();
      stream.handler.lost(error);
    }
  }

  /** Bytes have come; for whoever reads the socket instead of us. They may be used anew when this returns. */
  receive(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The parser or a handler threw. */
  #fail(error: unknown): void {
    this.close(asFulcrumError(error));
    this.#socket.destroy();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#pause?.cancel();
    for (const settle of [...this.#pings.values()]) settle(false);
    this.#onClosed(this.#error);
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (id === 0) return this.#control(type, flags, payload);
    const stream = this.#streams.get(id);
    if (type === FRAME.REQUEST || type === FRAME.CALL) {
      if (stream !== null || this.#isOurs(id)) throw protocolError(`stream ${id} was opened twice`);
      this.#openedByPeer(type, flags, id, payload);
      return;
    }
    if (type === FRAME.CHANNEL) {
      if (stream !== null || this.#isOurs(id)) throw protocolError(`stream ${id} was opened twice`);
      this.#channelByPeer(id, payload);
      return;
    }
    if (stream === null) return this.#strayFrame(type, id, payload.length);
    switch (type) {
      case FRAME.WINDOW:
        this.#charge(payload.length);
        stream.granted(readU32(payload));
        return;
      case FRAME.BODY_STOP:
        stream.stopped();
        return;
      default:
        if (type >= FIRST_OPTIONAL_TYPE) this.#charge(payload.length);
        else stream.handler.frame(type, flags, payload);
    }
  }

  #data(id: number, chunk: Buffer): void {
    const stream = this.#streams.get(id);
    if (stream === null) return this.#strayFrame(FRAME.DATA, id, chunk.length);
    if (chunk.length < MIN_COST_BYTES) this.#charge(chunk.length);
    if (chunk.length > 0) stream.received(chunk);
  }

  #control(type: number, flags: number, payload: Buffer): void {
    this.#charge(payload.length);
    if (type === FRAME.PING) this.writer.number(FRAME.PONG, 0, readU32(payload));
    else if (type === FRAME.PONG) this.#pings.get(readU32(payload))?.(true);
    else if (type < FIRST_OPTIONAL_TYPE) this.handler.control(type, flags, payload);
  }

  #openedByPeer(type: number, flags: number, id: number, payload: Buffer): void {
    this.handler.opened(this.#peerStream(id), type, flags, payload);
  }

  #channelByPeer(id: number, payload: Buffer): void {
    if (payload.length !== 6) throw protocolError('a CHANNEL that is not 6 bytes');
    const call = this.#streams.get(payload.readUInt32LE(0));
    const channel = this.#peerStream(id);
    if (call === null) {
      // The call's end has crossed it on the way: nobody is left who would read.
      this.#charge(payload.length);
      this.writer.number(FRAME.DONE, id, 0);
      this.forget(channel);
      return;
    }
    if (call.handler.channel === undefined) throw protocolError('a CHANNEL of a stream that is no call');
    call.handler.channel(channel, payload.readUInt16LE(4));
  }

  #peerStream(id: number): WireStream {
    if (this.#peerStreams >= this.#maxPeerStreams)
      throw protocolError(`more than ${this.#maxPeerStreams} streams`);
    const stream = new WireStream(id, this.writer);
    this.#streams.set(stream);
    this.#peerStreams++;
    return stream;
  }

  /** See frames.ts: the opener's frames may cross the end of its stream, the answerer's may not. */
  #strayFrame(type: number, id: number, bytes: number): void {
    this.#charge(bytes);
    if (type >= FIRST_OPTIONAL_TYPE) return;
    const mayCross =
      type === FRAME.DATA ||
      type === FRAME.BODY_END ||
      type === FRAME.BODY_FAILED ||
      type === FRAME.WINDOW ||
      type === FRAME.ABORT;
    if (this.#isOurs(id) || !mayCross)
      throw protocolError(`frame of type ${type} for stream ${id}, which is not open`);
  }

  #charge(bytes: number): void {
    const waitMs = this.#idleBytes.draw(Math.max(bytes, MIN_COST_BYTES));
    if (waitMs === 0 || this.#pause !== null) return;
    this.#socket.pause();
    this.#pause = this.#clock.after(waitMs, () => {
      this.#pause = null;
      this.#socket.resume();
    });
  }

  #isOurs(id: number): boolean {
    return (id & 1) === this.#ownParity;
  }

  #newId(): number {
    const id = this.#nextId;
    if (id > MAX_STREAM_ID) throw protocolError('more streams than there are numbers');
    this.#nextId = id + 2;
    return id;
  }
}

function readU32(payload: Buffer): number {
  if (payload.length !== 4) throw protocolError('a number that is not 4 bytes');
  return payload.readUInt32LE(0);
}
