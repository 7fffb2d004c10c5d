import { inspect } from 'node:util';
import { markAsUncloneable } from 'node:worker_threads';
import type { RequestFrame } from '../../wire/messages.ts';
import { giveBack } from '../body-memory.ts';
import { LightHeaders } from './light-headers.ts';
import { NativeRequest, shapeAs, told } from './natives.ts';
import { decodeUtf8, toArrayBuffer } from './utf8.ts';
import { normalUrl } from './wire-url.ts';

/** Methods that Fetch forbids. */
const FORBIDDEN = /^(?:CONNECT|TRACE|TRACK)$/i;
/** Methods that Fetch knows in capitals only. */
const NORMALIZED = /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i;

/** A request as its handler is to see it. */
type SeenRequest = Pick<RequestFrame, 'method' | 'url' | 'fields'>;

/** Its body, which is read in one of two ways, once. */
interface IncomingBody {
  /** All of it, to be given back to the memory of bodies. */
  gather(): Promise<Uint8Array>;
  stream(): ReadableStream<Uint8Array>;
}

/** What the members of Request that nobody asks for on a busy path are read from. */
const DELEGATED = [
  'cache',
  'credentials',
  'destination',
  'duplex',
  'integrity',
  'isHistoryNavigation',
  'isReloadNavigation',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
] as const;

/**
 * The Request that a handler is given. It behaves as Node's own, and becomes one only for what few ask of it: making that costs
 * as much as the rest of the way through the instance.
 */
export class IncomingRequest {
  readonly #frame: SeenRequest;
  readonly #source: IncomingBody | null;
  readonly #signalOf: () => AbortSignal;
  #url: string | null = null;
  #headers: LightHeaders | null = null;
  #native: Request | null = null;
  #read = false;

  static {
    for (const name of DELEGATED) {
      Object.defineProperty(IncomingRequest.prototype, name, {
        get(this: IncomingRequest): unknown {
          return Reflect.get(this.#current(), name);
        },
        enumerable: true,
        configurable: true,
      });
    }
  }

  /** Throws TypeError where Fetch has no such request: a method that it forbids. */
  constructor(frame: SeenRequest, source: IncomingBody | null, signalOf: () => AbortSignal) {
    if (FORBIDDEN.test(frame.method)) throw new TypeError(`'${frame.method}' HTTP method is unsupported.`);
    markAsUncloneable(this);
    this.#frame = frame;
    this.#source = source;
    this.#signalOf = signalOf;
  }

  /** Whether `value` is one of ours, and not Node's own. */
  static is(value: unknown): value is Request {
    return typeof value === 'object' && value !== null && #frame in value;
  }

  /** Node's own Request in place of `value` where that is one of ours; `value` itself otherwise. */
  static unwrap(value: unknown): unknown {
    return typeof value === 'object' && value !== null && #frame in value ? value.#current() : value;
  }

  get method(): string {
    const { method } = this.#frame;
    return NORMALIZED.test(method) ? method.toUpperCase() : method;
  }

  get url(): string {
    return (this.#url ??= normalUrl(this.#frame.url));
  }

  get headers(): LightHeaders {
    return (this.#headers ??= LightHeaders.ofWire(this.#frame.fields));
  }

  get signal(): AbortSignal {
    return this.#signalOf();
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#source === null ? null : this.#own().body;
  }

  get bodyUsed(): boolean {
    return this.#native === null ? this.#read : this.#native.bodyUsed;
  }

  async text(): Promise<string> {
    return this.#native === null ? this.#gather(decodeUtf8) : this.#native.text();
  }

  async json(): Promise<unknown> {
    return this.#native === null ? JSON.parse(await this.#gather(decodeUtf8)) : this.#native.json();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#native === null ? this.#gather(toArrayBuffer) : this.#native.arrayBuffer();
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#native === null
      ? new Uint8Array(await this.#gather(toArrayBuffer))
      : new Uint8Array(toArrayBuffer(await this.#native.bytes()));
  }

  async blob(): Promise<Blob> {
    return this.#current().blob();
  }

  async formData(): Promise<FormData> {
    return this.#current().formData();
  }

  textStream(): ReadableStream<string> {
    return this.#current().textStream();
  }

  clone(): Request {
    return this.#current().clone();
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }

  [inspect.custom](depth: number, options: object): string {
    return told(this.#current(), depth, options);
  }

  /** @param made of the bytes, which are another's afterwards. */
  async #gather<T>(made: (bytes: Uint8Array) => T): Promise<T> {
    if (this.#source === null) return made(NO_BYTES);
    if (this.#read) throw new TypeError('Body is unusable: Body has already been read');
    this.#read = true;
    const bytes = await this.#source.gather();
    const result = made(bytes);
    giveBack(bytes);
    return result;
  }

  /** Node's own Request for this one: from now on the body is that one's. */
  #own(): Request {
    if (this.#native !== null) return this.#native;
    const init: RequestInit = {
      method: this.#frame.method,
      headers: [...this.headers],
      signal: this.signal,
    };
    if (this.#source === null) {
      this.#native = new NativeRequest(this.#frame.url, init);
    } else if (this.#read) {
      // What has been read must be known to have been.
      this.#native = new NativeRequest(this.#frame.url, { ...init, body: NO_BYTES });
      void this.#native.text();
    } else {
      const body = this.#source.stream();
      this.#native = new NativeRequest(this.#frame.url, { ...init, body, duplex: 'half' });
    }
    return this.#native;
  }

  /** The same, with the fields as they are now: they may have been changed since. */
  #current(): Request {
    const native = this.#own();
    if (this.#headers === null) return native;
    const { headers } = native;
    for (const name of [...headers.keys()]) headers.delete(name);
    for (const [name, value] of this.#headers) headers.append(name, value);
    return native;
  }
}

const NO_BYTES = new Uint8Array(0);

Object.setPrototypeOf(IncomingRequest.prototype, NativeRequest.prototype);
// Inherited: what stands in the place of Node's own makes one from this one too.
Reflect.deleteProperty(IncomingRequest.prototype, 'constructor');
shapeAs(IncomingRequest.prototype, NativeRequest.prototype);
