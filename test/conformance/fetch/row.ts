/** The Fetch API of one side: Node's own, or what stands in its place in an instance. */
export interface FetchSide {
  readonly Request: typeof Request;
  readonly Response: typeof Response;
  readonly Headers: typeof Headers;
  readonly fetch: typeof fetch;
  /** The request that a handler is given. */
  incoming(sent?: Sent): Request;
  /** A server on loopback that answers with what it was asked. */
  readonly echoUrl: string;
}

export interface Sent {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array;
}

/** One thing that a program can see of the Fetch API. */
export interface Row {
  readonly name: string;
  run(side: FetchSide): unknown;
  /** Why ours does otherwise than Node, on purpose. Then `ours` is what it does. */
  readonly differs?: string;
  readonly ours?: unknown;
}

/** What came of it: a value, or the class of what was thrown. */
export async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error: classOf(error) };
  }
}

/** The outcome of each, in order, so that one row can tell of many edges. */
export async function each<T>(cases: readonly T[], run: (one: T) => unknown): Promise<unknown[]> {
  const outcomes: unknown[] = [];
  for (const one of cases) outcomes.push(await outcome(() => run(one)));
  return outcomes;
}

/** For what the types rightly forbid. */
export function any(value: unknown): never {
  return value as never;
}

export function pairs(of: { readonly headers: Headers } | Headers): [string, string][] {
  return [...('headers' in of ? of.headers : of)];
}

/** All that a response shows of itself before its body is read. */
export function head(response: Response): object {
  const { status, statusText, ok, type, url, redirected, bodyUsed } = response;
  const shown = { status, statusText, ok, type, url, redirected, bodyUsed };
  return { ...shown, hasBody: response.body !== null, headers: pairs(response) };
}

export async function drained(stream: ReadableStream<Uint8Array> | null): Promise<string> {
  if (stream === null) return 'null';
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

export async function joined(stream: ReadableStream<string>): Promise<string> {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
}

export function streamOf(...texts: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(texts.map((text) => new TextEncoder().encode(text)));
}

/** A form as plain data, files told by what they are. */
export async function fields(form: FormData): Promise<unknown[]> {
  const told: unknown[] = [];
  for (const [name, value] of form) {
    told.push(typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()]);
  }
  return told;
}

function classOf(error: unknown): string {
  if (!(error instanceof Error)) return `not an error: ${String(error)}`;
  return error instanceof DOMException ? `DOMException ${error.name}` : error.constructor.name;
}
