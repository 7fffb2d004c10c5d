import type { Clock } from '../base/clock.ts';
import type { TokenStore } from '../model/access-token.ts';
import type { AppStore } from '../model/app-record.ts';
import type { AuditStore } from '../model/audit-store.ts';
import type { BlobStore } from '../model/blob-store.ts';
import type { EventStore } from '../model/event-store.ts';
import type { ModeHistoryStore } from '../model/mode-history.ts';
import type { ReleaseStore } from '../model/release.ts';
import type { ScheduleStore } from '../model/schedule-store.ts';
import type { SecretStore } from '../model/secret-store.ts';
import type { UsageHours, UsageStore } from '../model/usage-store.ts';
import { Blobs } from './blobs.ts';
import { Events } from './events.ts';
import type { Caller } from './operations/index.ts';

/** All that a server keeps. Each part is a port of the model; SQLite and Postgres implement them alike. */
export interface Store {
  /** Where it is: a path, or a URL without its password. */
  readonly name: string;
  readonly apps: AppStore;
  readonly releases: ReleaseStore;
  readonly blobs: BlobStore;
  readonly tokens: TokenStore;
  readonly secrets: SecretStore;
  readonly audit: AuditStore;
  readonly usage: UsageStore & UsageHours;
  readonly events: EventStore;
  readonly schedules: ScheduleStore;
  readonly modes: ModeHistoryStore;
  /** Gives `app` the usage that was recorded before a store could hold several apps. Does nothing where there is none. */
  adoptUsage(app: string): Promise<void>;
  /** Deletes the usage of an app that is no more, in small steps: what it counted while it ended. */
  removeUsage(app: string): Promise<void>;
  /** Finishes what was asked, then closes. Idempotent. What is asked afterwards rejects with `store-failed`. */
  close(): Promise<void>;
}

interface Database extends Caller {
  readonly name: string;
  close(): Promise<void>;
}

/** The ports over a database that carries out operations. */
export function storeOver(database: Database, clock: Clock): Store {
  const { name } = database;
  const events = new Events(database);
  const removeUsage = async (app: string): Promise<void> => {
    while (await database.call('usage.remove', app));
  };
  return {
    name,
    apps: {
      list: () => database.call('apps.list', null),
      get: (id) => database.call('apps.get', id),
      create: (app) => database.call('apps.create', app),
      update: (id, version, changes, release) =>
        database.call('apps.update', { id, version, changes, release: release ?? null }),
      async remove(id) {
        // These may be much, and go by steps, before the app does: an app of the same name must never find them.
        await removeUsage(id);
        await events.removeAll(id);
        await database.call('apps.remove', id);
      },
    },
    releases: {
      add: (release) => database.call('releases.add', release),
      get: (app, number) => database.call('releases.get', { app, number }),
      list: (app, before, limit) => database.call('releases.list', { app, before, limit }),
      setState: (app, number, state, failure) =>
        database.call('releases.setState', { app, number, state, failure }),
      remove: (app, number) => database.call('releases.remove', { app, number }),
    },
    blobs: new Blobs(database, name, clock),
    tokens: {
      add: (token) => database.call('tokens.add', token),
      list: () => database.call('tokens.list', null),
      byHash: (hash) => database.call('tokens.byHash', hash),
      used: (id, atMs) => database.call('tokens.used', { id, atMs }),
      remove: (id) => database.call('tokens.remove', id),
    },
    secrets: {
      list: (app) => database.call('secrets.list', app),
      put: (secret) => database.call('secrets.put', secret),
      remove: (app, secret) => database.call('secrets.remove', { app, name: secret }),
      all: () => database.call('secrets.all', null),
      replace: (pairs) => database.call('secrets.replace', pairs),
    },
    audit: {
      append: (entry) => database.call('audit.append', entry),
      list: (query) => database.call('audit.list', query),
    },
    usage: {
      append: (batch) => database.call('usage.append', batch),
      minutes: (query) => database.call('usage.minutes', query),
      arrivals: (query) => database.call('usage.arrivals', query),
      rows: (query) => database.call('usage.rows', query),
      hours: (query) => database.call('usage.hours', query),
      instances: (query) => database.call('usage.instances', query),
      joinedCalls: (query) => database.call('usage.joinedCalls', query),
      writers: (app) => database.call('usage.writers', app),
      gaps: (app, fromMs, toMs) => database.call('usage.gaps', { app, fromMs, toMs }),
      bury: (app, writer, gap) => database.call('usage.bury', { app, writer, gap }),
      async prune(limits) {
        while (await database.call('usage.prune', limits));
      },
    },
    events,
    schedules: {
      sync: (app, schedules, nowMs) => database.call('schedules.sync', { app, schedules, nowMs }),
      list: (app) => database.call('schedules.list', app),
      tick: (order) => database.call('schedules.tick', order),
      rewind: (app, component, schedule, nowMs) =>
        database.call('schedules.rewind', { app, component, name: schedule, nowMs }),
    },
    modes: {
      append: (app, steps, states) => database.call('modes.append', { app, steps, states }),
      steps: (app, unit, before, limit) => database.call('modes.steps', { app, unit, before, limit }),
      states: (app) => database.call('modes.states', app),
      lease: (lease) => database.call('modes.lease', lease),
      prune: (app, beforeMs, steps) => database.call('modes.prune', { app, beforeMs, steps }),
    },
    adoptUsage: (app) => database.call('usage.adopt', app),
    removeUsage,
    close: () => database.close(),
  };
}
