import { IncomingRequest } from './incoming-request.ts';
import { LightHeaders } from './light-headers.ts';
import { LightResponse } from './light-response.ts';
import { isOf, nativeFetch, NativeRequest, type RequestInput } from './natives.ts';

/** Node's own Request, made from one of ours too. */
class Request extends NativeRequest {
  static {
    Object.defineProperty(Request, Symbol.hasInstance, {
      value: (value: unknown) => isOf(NativeRequest, value),
    });
  }

  constructor(input: RequestInput, init?: RequestInit) {
    super(IncomingRequest.unwrap(input) as RequestInput, init);
  }
}

/** Puts our classes where the author's code finds the Fetch API's. Before that code is loaded. */
export function installFetchObjects(): void {
  define('Headers', LightHeaders);
  define('Response', LightResponse);
  define('Request', Request);
  define('fetch', (input: RequestInput, init?: RequestInit) =>
    nativeFetch(IncomingRequest.unwrap(input) as RequestInput, init),
  );
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

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: name === 'fetch',
  });
}
