import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { AppSpec, ComponentSpec } from '../model/app.ts';
import { groupOf, membersOf } from '../model/units.ts';
import type { LogBook } from '../control/log-book.ts';
import { listServers } from '../control/registry.ts';
import { modeFor } from '../scaling/mode-settings.ts';
import { budgetSize, type BudgetAsked } from './budget-size.ts';
import type { ComponentLine, DevEvent } from './dev-events.ts';
import { DevReloader } from './dev-reloader.ts';
import { Platform, type Addresses } from './platform.ts';
import { builderFor, prepare } from './prepare.ts';

export interface DevOptions {
  readonly directory: string;
  readonly environment: string;
  /** Null: 8080, or the next free one. */
  readonly port: number | null;
  /** Null: 8081, or the next free one. */
  readonly adminPort: number | null;
  /** The component that Node's inspector is opened on. */
  readonly inspect: string | null;
  /** What its components together may use. */
  readonly budget: BudgetAsked;
  readonly onEvent: (event: DevEvent) => void;
}

export interface DevServer {
  readonly gatewayUrl: string;
  /** Carries a token. */
  readonly adminLink: string;
  close(): Promise<void>;
}

const DEFAULT_PORT = 8080;
const DEFAULT_ADMIN_PORT = 8081;
const PORTS_TRIED = 20;
/** By tens, so that the gateway's second choice is not the admin API's first. */
const PORT_STEP = 10;
const INSPECT_PORT = 9229;
const STARTUP_LINES = 500;
const CLOSE_DRAIN_MS = 2_000;

/** Runs an app on this machine and follows its files. Rejects with everything that is wrong, having started nothing. */
export async function startDev(options: DevOptions): Promise<DevServer> {
  const begunMs = performance.now();
  const directory = await realpath(options.directory).catch(() => {
    throw new FulcrumError('not-found', `There is no folder ${options.directory}.`);
  });
  const builder = builderFor(directory, join(directory, '.fulcrum', 'build'));
  const preparedFromMs = systemClock.nowMs();
  // Neither needs the other, and a newcomer waits for both.
  const [started, made] = await Promise.allSettled([
    Platform.start({
      dataDirectory: join(directory, '.fulcrum'),
      databaseUrl: null,
      environment: options.environment,
      clock: systemClock,
      processClock: systemClock,
      serverTiming: true,
      isAlone: await isAlone(directory),
      budget: budgetSize(options.budget, 'dev'),
    }),
    prepare({ directory, environment: options.environment, builder }),
  ]);
  const close = async (): Promise<void> => {
    if (started.status === 'fulfilled') await started.value.close(CLOSE_DRAIN_MS);
    await builder.close();
  };
  try {
    // What the author can mend is told first.
    if (made.status === 'rejected') throw made.reason;
    if (started.status === 'rejected') throw started.reason;
    const prepared = made.value;
    const platform = started.value;
    const inspect = inspectOrder(prepared.app, options.inspect);
    await platform.deploy(prepared, { inspect });
    const addresses = await platform.listen({
      gatewayPorts: candidates(options.port, DEFAULT_PORT),
      adminPorts: candidates(options.adminPort, DEFAULT_ADMIN_PORT),
      host: '127.0.0.1',
    });
    await platform.register();
    options.onEvent({
      kind: 'ready',
      tookMs: performance.now() - begunMs,
      gatewayUrl: addresses.gatewayUrl,
      adminLink: addresses.adminLink!,
      components: linesOf(prepared.app),
      notes: notesOn(prepared.app, options, addresses),
    });
    passOn(platform.log, options.onEvent);
    const reloader = new DevReloader({
      platform,
      builder,
      environment: options.environment,
      inspect,
      onEvent: options.onEvent,
      clock: systemClock,
      prepared,
      preparedFromMs,
    });
    return {
      gatewayUrl: addresses.gatewayUrl,
      adminLink: addresses.adminLink!,
      async close() {
        // Together: a reload under way ends only when what it starts is given up.
        await Promise.all([reloader.close(), close()]);
      },
    };
  } catch (error) {
    await close();
    throw asFulcrumError(error);
  }
}

/** Whether no other process runs the same app: both would have one store. */
async function isAlone(directory: string): Promise<boolean> {
  return (await listServers()).every((server) => server.directory !== directory);
}

/** The port that was asked for, or the usual one and, where that is taken, those behind it. */
function candidates(asked: number | null, usual: number): number[] {
  return asked === null ? Array.from({ length: PORTS_TRIED }, (_, i) => usual + i * PORT_STEP) : [asked];
}

function inspectOrder(app: AppSpec, component: string | null): { component: string; port: number } | null {
  if (component === null) return null;
  const spec = app.components.get(component);
  if (spec?.kind === 'module' || app.groups.has(component)) return { component, port: INSPECT_PORT };
  const near = nearest(component, [...app.components.keys(), ...app.groups.keys()]);
  throw new FulcrumError(
    'bad-request',
    spec === undefined
      ? `--inspect: there is no component '${component}'.${near ? ` Did you mean '${near}'?` : ''}`
      : `--inspect: '${component}' is no module. For a command, add --inspect to its own command line.`,
  );
}

/** In the order of the config, a group where its first member stands. */
function linesOf(app: AppSpec): ComponentLine[] {
  return [...app.components.values()].flatMap((spec): ComponentLine[] => {
    const group = app.groups.get(groupOf(app, spec.name) ?? '');
    if (group === undefined) return [lineOf(spec, null)];
    if (membersOf(group)[0] !== spec.name) return [];
    const mode = modeFor(group.modeSetting);
    return [
      { name: group.name, kind: 'group', group: null, mode, routes: [] },
      ...group.members.map((member) => lineOf(member, group.name)),
    ];
  });
}

function lineOf(spec: ComponentSpec, group: string | null): ComponentLine {
  return {
    name: spec.name,
    kind: spec.kind,
    group,
    mode: spec.kind === 'static' || group !== null ? null : modeFor(spec.modeSetting),
    routes: spec.routes.map((route) => `${route.host ?? ''}${route.path}`),
  };
}

function notesOn(app: AppSpec, options: DevOptions, addresses: Addresses): string[] {
  const notes: string[] = [];
  if (options.port === null && addresses.gatewayPort !== DEFAULT_PORT) {
    notes.push(`Port ${DEFAULT_PORT} is taken; this app has ${addresses.gatewayPort}.`);
  }
  return notes;
}

/** What was logged during the start comes behind the banner, and everything after it as it happens. */
function passOn(log: LogBook, onEvent: (event: DevEvent) => void): void {
  for (const entry of log.query({ limit: STARTUP_LINES })) onEvent({ kind: 'log', entry });
  log.follow({}, (batch) => {
    for (const entry of batch.entries) onEvent({ kind: 'log', entry });
  });
}
