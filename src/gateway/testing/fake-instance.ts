import type { HttpExchange } from '../../model/http.ts';
import type { Instance, UpgradeRequest } from '../../model/instance.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import type { FulcrumError } from '../../base/errors.ts';

export const OK: InvocationEnd = { outcome: 'ok', error: null, cpuMs: 0 };

export function failed(outcome: InvocationEnd['outcome'], error: FulcrumError): InvocationEnd {
  return { outcome, error, cpuMs: 0 };
}

export interface Behaviour {
  readonly http?: (exchange: HttpExchange) => Promise<InvocationEnd>;
  readonly upgrade?: (request: UpgradeRequest) => Promise<InvocationEnd>;
}

/** An instance in memory: what it does with a request is `behaviour`; it has no process. */
export function fakeInstance(id: string, behaviour: Behaviour): Instance {
  const unused = (): never => {
    throw new Error('The gateway does not ask this of an instance.');
  };
  return {
    id,
    engine: 'spawn',
    pid: 1,
    revision: { id: 'abcdef123456' } as Instance['revision'],
    mode: 'function',
    state: 'ready',
    handlersOf: () => null,
    callThroughServer: () => undefined,
    calling: 0,
    inspectUrl: null,
    ended: new Promise(() => undefined),
    http: (exchange) => {
      if (behaviour.http === undefined) return unused();
      void behaviour.http(exchange).then((end) => exchange.ended(end));
    },
    upgrade: behaviour.upgrade ?? unused,
    invoke: unused,
    healthy: unused,
    measure: unused,
    drain: unused,
    stop: unused,
    kill: unused,
  };
}

/** A handler that answers at once. */
export function answering(
  status: number,
  headers: readonly string[],
  ...chunks: readonly (string | Uint8Array)[]
): Behaviour {
  return {
    http: ({ response }) => {
      response.head({ status, headers });
      for (const chunk of chunks) response.data(Buffer.from(chunk as string));
      response.end();
      return Promise.resolve(OK);
    },
  };
}

/** The whole body of a request; rejects with what it broke off with. */
export function readBody({ body }: HttpExchange): Promise<Buffer> {
  if (body === null) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    body.read({
      data: (chunk) => void chunks.push(chunk),
      end: () => resolve(Buffer.concat(chunks)),
      fail: reject,
    });
  });
}
