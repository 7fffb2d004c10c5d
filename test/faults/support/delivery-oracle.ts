import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { DeliveryModel } from './delivery-model.ts';

interface Told {
  readonly generation?: string;
  readonly component: string;
  readonly batch: string;
  readonly numbers: readonly number[];
  readonly n: number;
}

/**
 * Hears what handlers say, outside of the server. A handler belongs to the generation of servers in which it first spoke; when a server has been
 * killed, the next generation begins, and handlers of the one before, which may live on for a moment, are not heard any more: what they had is not
 * done.
 */
export class DeliveryOracle {
  readonly #model: DeliveryModel;
  readonly #server: Server;
  #generation = 1;

  static async start(t: TestContext, model: DeliveryModel): Promise<DeliveryOracle> {
    const oracle = new DeliveryOracle(model);
    oracle.#server.listen(0, '127.0.0.1');
    await once(oracle.#server, 'listening');
    t.after(() => {
      oracle.#server.closeAllConnections();
      oracle.#server.close();
    });
    return oracle;
  }

  private constructor(model: DeliveryModel) {
    this.#model = model;
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('error', () => undefined);
      request.on('end', () => {
        const answer = this.#hear(request.url!, JSON.parse(body) as Told);
        response.writeHead(answer === null ? 410 : 200).end(answer ?? 'another generation serves');
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The server was killed just now. */
  nextGeneration(): void {
    this.#generation += 1;
  }

  #hear(what: string, { generation, component, batch, numbers, n }: Told): string | null {
    if (what === '/hello') return String(this.#generation);
    if (generation !== String(this.#generation)) return null;
    if (what === '/batch') this.#model.batchBegan(component, batch, numbers, Date.now());
    else this.#model.done(component, batch, n);
    return 'heard';
  }
}
