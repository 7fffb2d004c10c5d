import { setTimeout as wait } from 'node:timers/promises';
import type { PeerAnswer, PeerName, PeerOrder } from './events-peer.ts';
import type { ComponentNow, EventsHello } from './events-server.ts';
import { LineProcess } from './line-process.ts';

/** How many `publish` calls a publisher has under way at a time. */
export const IN_FLIGHT = 256;

const LOOK_EVERY_MS = 2;
/** With nothing in between, of two events one would wait for the other. */
const PAUSE_MS = 15;

/** Who takes the events of a run. */
export type Taker = 'service' | 'warm' | 'zero';
export type BulkTaker = 'bulk-service' | 'bulk-function';

/** Fulcrum: a server, a service that publishes and components that take. */
export class FulcrumContender {
  readonly name: string;
  readonly #server: LineProcess<EventsHello>;

  /** @param folder where it keeps what it keeps. @param databaseUrl null: SQLite. */
  static async start(name: string, folder: string, databaseUrl: string | null): Promise<FulcrumContender> {
    const args = [folder, ...(databaseUrl === null ? [] : [databaseUrl])];
    return new FulcrumContender(name, await LineProcess.start<EventsHello>('events-server.ts', args));
  }

  private constructor(name: string, server: LineProcess<EventsHello>) {
    this.name = name;
    this.#server = server;
  }

  /** Of the server, without its instances. */
  get pid(): number {
    return this.#server.pid;
  }

  /** Publishes `count` events of 1 KB and waits for all to be handled and acknowledged. @returns how many that were a second. */
  perSecond(count: number, taker: BulkTaker = 'bulk-service'): Promise<number> {
    return perSecond(count, async () => {
      const taken = this.#taken(count);
      await this.publish(taker, count);
      await taken;
      await this.#until(taker === 'bulk-service' ? 'sink' : 'bulk', ({ kept }) => kept === 0);
    });
  }

  /** One event at a time, with nothing else going on. @returns from `publish` to the handler's first line, ms. */
  async latenciesMs(count: number, taker: Taker = 'warm'): Promise<readonly number[]> {
    const all: number[] = [];
    for (let i = 0; i < count; i++) {
      if (taker === 'zero') await this.#until('zero', ({ instances }) => instances === 0);
      const taken = this.#taken(1);
      await this.publish(taker, 1);
      all.push(...(await taken));
      await wait(PAUSE_MS);
    }
    return all;
  }

  async publish(type: string, count: number): Promise<void> {
    await this.#get(`/source/publish?type=${type}&count=${count}&inflight=${IN_FLIGHT}`);
  }

  async kept(component: string): Promise<number> {
    return (await this.#server.ask<ComponentNow>(component)).kept;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #taken(count: number): Promise<number[]> {
    return (await (await this.#get(`/sink/wait?count=${count}`)).json()) as number[];
  }

  async #until(component: string, holds: (now: ComponentNow) => boolean): Promise<void> {
    while (!holds(await this.#server.ask<ComponentNow>(component))) await wait(LOOK_EVERY_MS);
  }

  async #get(path: string): Promise<Response> {
    const answer = await fetch(this.#server.hello.url + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}

/** A queue on Postgres: a process that publishes and one that works. */
export class PeerContender {
  readonly name: PeerName;
  readonly #publisher: LineProcess<unknown>;
  readonly #worker: LineProcess<unknown>;

  static async start(name: PeerName, databaseUrl: string): Promise<PeerContender> {
    // One after the other: the first makes the tables.
    const publisher = await LineProcess.start('events-peer.ts', [name, 'publisher', databaseUrl]);
    try {
      const worker = await LineProcess.start('events-peer.ts', [name, 'worker', databaseUrl]);
      return new PeerContender(name, publisher, worker);
    } catch (error) {
      await publisher.stop();
      throw error;
    }
  }

  private constructor(name: PeerName, publisher: LineProcess<unknown>, worker: LineProcess<unknown>) {
    this.name = name;
    this.#publisher = publisher;
    this.#worker = worker;
  }

  /** As Fulcrum's. @param perCall a divisor of `count`. */
  perSecond(count: number, perCall = 1): Promise<number> {
    return perSecond(count, () => this.#carry(count, perCall));
  }

  async latenciesMs(count: number): Promise<readonly number[]> {
    const all: number[] = [];
    for (let i = 0; i < count; i++) {
      all.push(...(await this.#carry(1, 1)));
      await wait(PAUSE_MS);
    }
    return all;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#publisher.stop(), this.#worker.stop()]);
  }

  async #carry(count: number, perCall: number): Promise<PeerAnswer> {
    const order: PeerOrder = { count, inFlight: IN_FLIGHT, perCall };
    const [told] = await Promise.all([
      this.#worker.ask<PeerAnswer>(order),
      this.#publisher.ask<object>(order),
    ]);
    return told;
  }
}

async function perSecond(count: number, carry: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await carry();
  return count / ((performance.now() - begunMs) / 1_000);
}
