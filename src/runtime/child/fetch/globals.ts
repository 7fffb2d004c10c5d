import { IncomingRequest } from './incoming-request.ts';
import { LightHeaders } from './light-headers.ts';
import { LightResponse } from './light-response.ts';
import { nativeFetch, NativeHeaders, NativeRequest, NativeResponse, type RequestInput } from './natives.ts';

/** Node's own Request, made from one of ours too. In all else it is Node's: its prototype is the one that authors extend. */
const Request = new Proxy(NativeRequest, {
  construct: (target, [input, ...rest]: unknown[], newTarget) =>
    Reflect.construct(target, [IncomingRequest.unwrap(input), ...rest], newTarget) as object,
});

/** Node's own fetch, which takes one of our requests too. */
async function fetch(input: RequestInput, ...rest: [init?: RequestInit]): Promise<Response> {
  return nativeFetch(IncomingRequest.unwrap(input) as RequestInput, ...rest);
}

/** Puts our classes where the author's code finds the Fetch API's. Before that code is loaded. */
export function installFetchObjects(): void {
  define('Headers', LightHeaders);
  define('Response', LightResponse);
  define('Request', Request);
  define('fetch', fetch);
  makerOf(NativeHeaders, LightHeaders);
  makerOf(NativeResponse, LightResponse);
  makerOf(NativeRequest, Request);
  installStreaming();
}

/** WebAssembly's functions that take a Response look for Node's own. */
function installStreaming(): void {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: Record<string, Compile> };
  for (const name of ['compileStreaming', 'instantiateStreaming']) {
    const native = WebAssembly[name]!;
    WebAssembly[name] = async (source, imports) => native(LightResponse.unwrap(await source), imports);
  }
}

type Compile = (source: unknown, imports: unknown) => Promise<unknown>;

/** What Node made itself has the class that the author knows as its `constructor`. */
function makerOf(native: { readonly prototype: object }, value: unknown): void {
  Object.defineProperty(native.prototype, 'constructor', { value, writable: true, configurable: true });
}

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: name === 'fetch',
  });
}
