import { fileURLToPath } from 'node:url';
import type { AppOrder } from './calls-app/caller.ts';
import type { Measured, Order } from './calls-app/measure.ts';
import type { ValueName } from './calls-app/values.ts';
import type { PeerHello, PeerOrder } from './calls-peers.ts';
import { LineProcess } from './line-process.ts';
import { ServerProcess } from './server-process.ts';

/** One way of calling, which can be measured. */
export type Way = (value: ValueName, order: Order) => Promise<Measured>;

/** All processes that call and are called. */
export class Contenders {
  readonly #app: ServerProcess;
  readonly #peers: readonly LineProcess<PeerHello>[];

  static async start(): Promise<Contenders> {
    const app = await ServerProcess.start('fulcrum-server.ts', [
      fileURLToPath(new URL('./calls-app/', import.meta.url)),
    ]);
    const peers: LineProcess<PeerHello>[] = [];
    const start = async (...[script, ...args]: [string, ...string[]]): Promise<number> => {
      const peer = await LineProcess.start<PeerHello>(script, args);
      peers.push(peer);
      return peer.hello.port;
    };
    try {
      // Callers, in this order, are what is asked later: the first, the third and the last.
      await start('calls-moleculer-peer.ts', 'local');
      await start(
        'calls-moleculer-peer.ts',
        'caller',
        String(await start('calls-moleculer-peer.ts', 'callee')),
      );
      await start('calls-http-peer.ts', 'caller', String(await start('calls-http-peer.ts', 'callee')));
      return new Contenders(app, peers);
    } catch (error) {
      await stopAll(app, peers);
      throw error;
    }
  }

  private constructor(app: ServerProcess, peers: readonly LineProcess<PeerHello>[]) {
    this.#app = app;
    this.#peers = peers;
  }

  /** Between components; `clone`: what it takes the caller to clone the value, and nothing else. */
  fulcrum(to: AppOrder['to']): Way {
    const caller = to === 'near' ? 'near-caller' : 'caller';
    return async (value, order) => {
      const answer = await fetch(`${this.#app.url}/${caller}/run`, {
        method: 'POST',
        body: JSON.stringify({ ...order, to, value } satisfies AppOrder),
      });
      if (!answer.ok) throw new Error(`A call of ${to}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Measured;
    };
  }

  moleculer(where: 'local' | 'tcp'): Way {
    const caller = this.#peers[where === 'local' ? 0 : 2]!;
    return (value, order) => caller.ask<Measured>({ ...order, value } satisfies PeerOrder);
  }

  http(client: NonNullable<PeerOrder['client']>): Way {
    const caller = this.#peers[4]!;
    return (value, order) => caller.ask<Measured>({ ...order, value, client } satisfies PeerOrder);
  }

  stop(): Promise<void> {
    return stopAll(this.#app, this.#peers);
  }
}

async function stopAll(app: ServerProcess, peers: readonly LineProcess<PeerHello>[]): Promise<void> {
  for (const peer of peers) await peer.stop();
  await app.stop();
}
