import { inspect } from 'node:util';
import { markAsUncloneable } from 'node:worker_threads';
import { LightHeaders } from './light-headers.ts';
import { NativeHeaders, NativeResponse, standInFor, told, type BodyInput } from './natives.ts';
import { memoryFor } from '../body-memory.ts';
import { decodeUtf8, toArrayBuffer } from './utf8.ts';

/** Statuses whose responses have no body (Fetch standard, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
const TEXT_TYPE = 'text/plain;charset=UTF-8';

/** A body that is there as a whole. */
export type WholeBody = string | Uint8Array | null;

/** A response as the wire takes it. */
export interface WireParts {
  readonly status: number;
  readonly headers: string[];
  readonly body: WholeBody | ReadableStream<unknown>;
  /** Whether the bytes of `body` are nobody else's, and may be given back to the memory of bodies once they are sent. */
  readonly isSole: boolean;
}

/**
 * `Response` of the Fetch standard. One whose body is text, bytes or nothing is kept as that, since making Node's own costs as much
 * as the rest of the way through the instance; every other, and every argument that must be converted, is left to Node's own.
 */
export class LightResponse {
  #status = 200;
  #statusText = '';
  /** Made when asked for, but for those that Node guards against changes: what is asked of these goes to Node's own. */
  #headers: LightHeaders | null = null;
  #whole: WholeBody = null;
  /** Whether a clone has the same bytes. */
  #isShared = false;
  #type: string | null = null;
  #read = false;
  /** Of one that was fetched. */
  #url = '';
  /** Set where Node's own has the body. */
  #native: Response | null = null;

  constructor(body?: BodyInput, init?: ResponseInit) {
    markAsUncloneable(this);
    if (!isWhole(body) || !isPlainInit(init, body ?? null)) {
      this.#adopt(new NativeResponse(body, nativeInit(init)));
      return;
    }
    if (init !== undefined) {
      this.#status = init.status ?? 200;
      this.#statusText = init.statusText ?? '';
      if (init.headers !== undefined) this.#headers = new LightHeaders(init.headers);
    }
    this.#whole = body === null || body === undefined ? null : typeof body === 'string' ? body : copied(body);
    if (typeof body === 'string') this.#setType(TEXT_TYPE);
  }

  static json(data: unknown, init?: ResponseInit): LightResponse {
    const text = JSON.stringify(data);
    if (text === undefined || !isPlainInit(init, text)) {
      return LightResponse.#of(NativeResponse.json(data, nativeInit(init)));
    }
    const response = new LightResponse(null, init);
    response.#whole = text;
    response.#setType('application/json');
    return response;
  }

  static redirect(url: string | URL, status?: Parameters<typeof NativeResponse.redirect>[1]): LightResponse {
    return LightResponse.#of(NativeResponse.redirect(url, status));
  }

  static error(): LightResponse {
    return LightResponse.#of(NativeResponse.error());
  }

  /** What the wire takes of `value`; null where it is no response of ours. It counts as read afterwards. */
  static take(value: unknown): WireParts | null {
    if (typeof value !== 'object' || value === null || !(#whole in value)) return null;
    return value.#take();
  }

  /** Node's own Response in place of `value` where that is one of ours; `value` itself otherwise. */
  static unwrap(value: unknown): unknown {
    return typeof value === 'object' && value !== null && #whole in value ? value.#own() : value;
  }

  /** What another component has answered. @param body bytes that nobody else has, or a stream. @param fields name, value, … */
  static received(
    url: string,
    status: number,
    fields: readonly string[],
    body: Uint8Array | ReadableStream<Uint8Array> | null,
  ): LightResponse {
    const response = new LightResponse();
    response.#url = url;
    response.#status = status;
    response.#headers = LightHeaders.ofWire(fields.join('\0'));
    if (body === null || body instanceof Uint8Array) response.#whole = body;
    else
      response.#native = new NativeResponse(body as BodyInput, { status, headers: [...response.#headers] });
    return response;
  }

  static #of(native: Response): LightResponse {
    const response = new LightResponse();
    response.#adopt(native);
    return response;
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get headers(): LightHeaders {
    if (this.#headers === null) {
      if (this.#native !== null) return this.#native.headers as unknown as LightHeaders;
      this.#headers = new LightHeaders();
      if (this.#type !== null) this.#headers.set('content-type', this.#type);
    }
    return this.#headers;
  }

  get type(): Response['type'] {
    return this.#native === null ? 'default' : this.#native.type;
  }

  get url(): string {
    return this.#native === null || this.#url !== '' ? this.#url : this.#native.url;
  }

  get redirected(): boolean {
    return this.#native !== null && this.#native.redirected;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#native === null && this.#whole === null ? null : this.#own().body;
  }

  get bodyUsed(): boolean {
    return this.#native === null ? this.#read : this.#native.bodyUsed;
  }

  async text(): Promise<string> {
    if (this.#native !== null) return this.#native.text();
    const whole = this.#readWhole();
    return typeof whole === 'string' ? whole.toWellFormed().replace(/^\ufeff/, '') : decodeUtf8(whole);
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#native === null ? toArrayBuffer(encoded(this.#readWhole())) : this.#native.arrayBuffer();
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#native === null
      ? new Uint8Array(toArrayBuffer(encoded(this.#readWhole())))
      : new Uint8Array(toArrayBuffer(await this.#native.bytes()));
  }

  async blob(): Promise<Blob> {
    return this.#own().blob();
  }

  async formData(): Promise<FormData> {
    return this.#own().formData();
  }

  textStream(): ReadableStream<string> {
    return this.#own().textStream();
  }

  clone(): LightResponse {
    if (this.#native !== null || this.#read) {
      const clone = LightResponse.#of(this.#own().clone());
      clone.#url = this.#url;
      return clone;
    }
    const response = new LightResponse();
    response.#status = this.#status;
    response.#statusText = this.#statusText;
    response.#whole = this.#whole;
    response.#isShared = this.#isShared = true;
    response.#type = this.#type;
    response.#url = this.#url;
    if (this.#headers !== null) response.#headers = new LightHeaders([...this.#headers]);
    return response;
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }

  [inspect.custom](depth: number, options: object): string {
    return told(this.#own(), depth, options);
  }

  /** The type that goes with a kind of body, where the author names no other. */
  #setType(type: string): void {
    if (this.#headers === null) this.#type = type;
    else if (!this.#headers.has('content-type')) this.#headers.set('content-type', type);
  }

  #adopt(native: Response): void {
    this.#native = native;
    this.#status = native.status;
    this.#statusText = native.statusText;
    const isGuarded = native.type === 'error' || isRedirect(native);
    this.#headers = isGuarded ? null : new LightHeaders([...native.headers]);
  }

  #take(): WireParts {
    const headers = this.#headers?.toRaw() ?? (this.#type === null ? [] : ['content-type', this.#type]);
    if (this.#native !== null) {
      const { body } = this.#native;
      return { status: this.#status, headers: [...this.headers].flat(), body, isSole: false };
    }
    const body = this.#whole;
    this.#read = true;
    // What has been sent may soon be another's.
    if (body !== null) this.#whole = '';
    return { status: this.#status, headers, body, isSole: !this.#isShared };
  }

  #readWhole(): string | Uint8Array {
    if (this.#whole === null) return '';
    if (this.#read) throw new TypeError('Body is unusable: Body has already been read');
    this.#read = true;
    return this.#whole;
  }

  /** Node's own Response for this one: from now on the body is that one's. */
  #own(): Response {
    if (this.#native !== null) {
      if (this.#headers !== null) copyHeaders(this.#headers, this.#native.headers);
      return this.#native;
    }
    const init = { status: this.#status, statusText: this.#statusText, headers: [...this.headers] };
    // As bytes: to text, Node would add a type where the author took it away.
    const body = this.#whole === null ? null : encoded(this.#whole);
    const native = new NativeResponse(body as BodyInput, init);
    if (this.#read) void native.text();
    this.#native = native;
    return native;
  }
}

Object.setPrototypeOf(LightResponse, NativeResponse);
standInFor(LightResponse, NativeResponse);

/** For `init` that Node's own is to read: it knows no headers but its own. */
function nativeInit(init: ResponseInit | undefined): ResponseInit | undefined {
  if (typeof init !== 'object' || init === null || !(init.headers instanceof LightHeaders)) return init;
  return {
    status: init.status!,
    statusText: init.statusText!,
    headers: new NativeHeaders([...init.headers]),
  };
}

function isWhole(body: unknown): body is string | ArrayBuffer | ArrayBufferView | null | undefined {
  return body === null || body === undefined || typeof body === 'string' || isBytes(body);
}

function isBytes(body: unknown): body is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(body) || body instanceof ArrayBuffer;
}

/** Whether nothing of it has to be converted, and nothing refused. */
function isPlainInit(init: ResponseInit | undefined, body: unknown): boolean {
  if (init === undefined) return true;
  if (typeof init !== 'object' || init === null) return false;
  const { status, statusText } = init;
  if (statusText !== undefined && (typeof statusText !== 'string' || !REASON.test(statusText))) return false;
  if (status === undefined) return true;
  if (!Number.isInteger(status) || status < 200 || status > 599) return false;
  return body === null || !WITHOUT_BODY.has(status);
}

/** What the author does to its bytes afterwards must not reach the client. */
function copied(body: ArrayBuffer | ArrayBufferView): Uint8Array {
  const buffer = ArrayBuffer.isView(body) ? body.buffer : body;
  if (buffer instanceof ArrayBuffer && buffer.detached) return new Uint8Array(0);
  const bytes = ArrayBuffer.isView(body)
    ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
    : new Uint8Array(body);
  const copy = memoryFor(bytes.length);
  copy.set(bytes);
  return copy;
}

function encoded(whole: string | Uint8Array): Uint8Array {
  return typeof whole === 'string' ? Buffer.from(whole) : whole;
}

function isRedirect(native: Response): boolean {
  return native.status >= 300 && native.status <= 399 && native.headers.has('location');
}

function copyHeaders(from: LightHeaders, to: Headers): void {
  for (const name of [...to.keys()]) to.delete(name);
  for (const [name, value] of from) to.append(name, value);
}
