import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { machineMemory } from '../base/machine-memory.ts';
import { LogBook } from '../control/log-book.ts';
import { newServerSocket, type ServerSocket } from '../control/registry.ts';
import { unpackAccessLine } from '../gateway/access-line.ts';
import { unpackCallLine } from '../meter/call-line.ts';
import type { ChosenLimits } from '../model/app.ts';
import { CpuWatch, watchedCpus } from '../scaling/cpu-watch.ts';
import { InstanceWatch } from '../scaling/instance-watch.ts';
import { MachineBudget } from '../scaling/machine-budget.ts';
import { cloudEventsDelivery } from '../events/cloudevents/http-delivery.ts';
import { ServerEvents } from '../events/server-events.ts';
import { Turns } from '../scaling/turns.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import { baseEnv } from './base-env.ts';
import { bookLogger } from './book-logger.ts';
import { budgetSize, NOTHING_ASKED, type BudgetSize } from './budget-size.ts';
import { Engines } from './engines.ts';
import { tuneHeap } from './heap.ts';
import { machineNow } from './machine.ts';
import { compileCacheFolder, STORE_FILE } from './places.ts';
import { RunningApp } from './running-app.ts';
import { SwitchChecks } from './switch-checks.ts';
import { newTraceparent } from './traceparent.ts';

export interface HostOptions {
  /** Where the store's file is. Created where it is missing. */
  readonly dataDirectory: string;
  /** `postgres://…`; null: the store is a file in the data directory. */
  readonly databaseUrl: string | null;
  /** What `NODE_ENV` of the instances follows from, where their app says nothing else. */
  readonly environment: string;
  /** What deadlines, keep-alive and health checks are measured by. */
  readonly clock: Clock;
  /** What processes are waited for by. The same as `clock`, but where a test holds that one still. */
  readonly processClock: Clock;
  /** What the instances of all apps together may use. Absent: as `dev` has it by default. */
  readonly budget?: BudgetSize;
}

const LOG_ENTRIES = 20_000;
const LOG_BYTES = 16 * 1024 ** 2;
const UNPACK = { access: unpackAccessLine, call: unpackCallLine };

/** What there is once on a server, for all of its apps: the store, the ways to make instances, the log. */
export class Host {
  readonly clock: Clock;
  readonly log: LogBook;
  readonly logger: Logger;
  readonly engines: Engines;
  readonly store: Store;
  /** Where commands of this user find the server. */
  readonly socket: ServerSocket;
  /** Of all apps and releases. */
  readonly budget: MachineBudget;
  /** Of all apps; it delivers once it is told to begin. */
  readonly events: ServerEvents;
  readonly #checks: SwitchChecks;
  readonly #instances: InstanceWatch;
  readonly #reports = new Turns();
  readonly #apps = new Map<string, RunningApp>();

  static async open(options: HostOptions): Promise<Host> {
    tuneHeap();
    const log = new LogBook({ maxEntries: LOG_ENTRIES, maxBytes: LOG_BYTES, unpack: UNPACK });
    const logger = bookLogger(log, options.clock);
    // What is in it is closed to others, but for bundles: without mounts a component's own user has to get to those.
    await mkdir(options.dataDirectory, { recursive: true, mode: 0o711 });
    const socket = await newServerSocket();
    const [store, engines] = await both(
      openStore({
        databaseUrl: options.databaseUrl,
        path: join(options.dataDirectory, STORE_FILE),
        clock: options.clock,
        logger,
      }),
      Engines.open({
        clock: options.processClock,
        logger,
        baseEnv: baseEnv(process.env, options.environment),
        socketPath: socket.socketPath.replace(/\.sock$/, '.wire'),
        sandboxFolder: socket.socketPath.replace(/\.sock$/, '.sandbox'),
        dataDirectory: options.dataDirectory,
        compileCacheFolder: compileCacheFolder(process.env),
      }),
    );
    const budget = machineBudget(options.budget ?? budgetSize(NOTHING_ASKED, 'dev'), options.clock, logger);
    return new Host(options.clock, { log, logger, store, engines, socket, budget });
  }

  private constructor(clock: Clock, parts: Parts) {
    this.clock = clock;
    this.log = parts.log;
    this.logger = parts.logger;
    this.engines = parts.engines;
    this.store = parts.store;
    this.socket = parts.socket;
    this.budget = parts.budget;
    this.#checks = new SwitchChecks({ clock, logger: parts.logger });
    this.#instances = new InstanceWatch(clock);
    this.events = new ServerEvents({
      store: parts.store.events,
      clock,
      logger: parts.logger,
      http: cloudEventsDelivery,
      newTraceparent,
      random: Math.random,
    });
  }

  /** The apps that run here, by id. */
  get apps(): ReadonlyMap<string, RunningApp> {
    return this.#apps;
  }

  /**
   * Room for an app, of which nothing runs yet; the one of that id where there is one.
   * @param limits those that were chosen by hand before.
   */
  addApp(
    id: string,
    env: Readonly<Record<string, string>> = {},
    limits: Readonly<Record<string, ChosenLimits>> = {},
  ): RunningApp {
    const known = this.#apps.get(id);
    if (known !== undefined) return known;
    const { clock, log, logger, engines, store, budget, events } = this;
    const app = new RunningApp({
      id,
      clock,
      log,
      logger,
      engines,
      budget,
      serverEvents: events,
      checks: this.#checks,
      instances: this.#instances,
      usage: store.usage,
      schedules: store.schedules,
      releases: store.releases,
      env,
      limits,
      machine: () => machineNow(this.#apps.values(), budget),
      reports: this.#reports,
    });
    this.#apps.set(id, app);
    return app;
  }

  /** Ends all that runs of an app, within `drainMs`. Idempotent. */
  async removeApp(id: string, drainMs: number): Promise<void> {
    const app = this.#apps.get(id);
    this.#apps.delete(id);
    await app?.close(drainMs);
    if (app === undefined) return;
    // What its components have published while they ended, and what of them was counted, an app of the same name must never find.
    await this.store.events.removeAll(id);
    await this.store.removeUsage(id);
  }

  /**
   * Ends every app, letting what is in flight finish within `drainMs`, then what they ran on. What fails on the way is logged and
   * does not keep the rest from being ended.
   * @param doors what lets requests in: closed together with the apps, `control` after them.
   */
  async close(drainMs: number, doors: Doors): Promise<void> {
    const apps = [...this.#apps.values()];
    const steps: [string, () => Promise<unknown>][] = [
      ['gateway', () => Promise.all([doors.closeGateway(drainMs), ...apps.map((app) => app.close(drainMs))])],
      ['events', () => this.events.close()],
      ['checks', () => this.#checks.close()],
      ['instances', async () => this.#instances.close()],
      ['runtimes', () => this.engines.close()],
      ['admin API', () => doors.closeControl()],
      ['store', () => this.store.close()],
    ];
    for (const [name, end] of steps) {
      await end().catch((error: unknown) =>
        this.logger.error({ error: messageOf(error) }, `closing: ${name} failed`),
      );
    }
  }
}

export interface Doors {
  closeGateway(drainMs: number): Promise<void>;
  closeControl(): Promise<void>;
}

interface Parts {
  readonly log: LogBook;
  readonly logger: Logger;
  readonly store: Store;
  readonly engines: Engines;
  readonly socket: ServerSocket;
  readonly budget: MachineBudget;
}

function machineBudget(size: BudgetSize, clock: Clock, logger: Logger): MachineBudget {
  const cpu = new CpuWatch(clock, watchedCpus(size.cpus));
  const fault = (error: unknown): void =>
    logger.error({ error: messageOf(error) }, 'room could not be shared out; tried again in a second');
  return new MachineBudget({ ...size, clock, memory: machineMemory, cpuUsedUp: () => cpu.usedUp, fault });
}

/** Both, or neither: where one cannot be had, the other is closed again. */
async function both<A extends Closable, B extends Closable>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const [one, other] = await Promise.allSettled([first, second]);
  if (one.status === 'fulfilled' && other.status === 'fulfilled') return [one.value, other.value];
  for (const opened of [one, other]) if (opened.status === 'fulfilled') await opened.value.close();
  throw one.status === 'rejected' ? one.reason : (other as PromiseRejectedResult).reason;
}

interface Closable {
  close(): Promise<void>;
}
