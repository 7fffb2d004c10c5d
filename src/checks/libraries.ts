import type { Rule } from './finding.ts';
import type { Origin } from './origin.ts';
import { keyOf, type Node } from './syntax.ts';

interface Standing {
  readonly rule: Rule;
  readonly message: string;
  /** Only where it is made while the module is loaded, or in `onStart`. */
  readonly onlyAtLoad: boolean;
}

const CONNECTS: Readonly<Record<string, RegExp>> = {
  pg: /^(?:Pool|Client)$/,
  mysql: /^create(?:Pool|Connection)$/,
  mysql2: /^(?:promise\.)?create(?:Pool|Connection)$/,
  postgres: /^$/,
  mongodb: /^MongoClient$/,
  mongoose: /^(?:connect|createConnection)$/,
  redis: /^create(?:Client|Cluster)$/,
  ioredis: /^(?:Redis|Cluster)?$/,
  amqplib: /^connect$/,
  kafkajs: /^Kafka$/,
  nats: /^connect$/,
  mqtt: /^connect$/,
  net: /^(?:connect|createConnection)$/,
  tls: /^connect$/,
  http2: /^connect$/,
  dgram: /^createSocket$/,
  'socket.io-client': /^(?:io)?$/,
};

const SERVES: Readonly<Record<string, RegExp>> = {
  http: /^createServer$/,
  https: /^createServer$/,
  http2: /^create(?:Secure)?Server$/,
  net: /^createServer$/,
  tls: /^createServer$/,
  ws: /^(?:WebSocketServer|Server|WebSocket\.Server)$/,
  'socket.io': /^Server$/,
  '@hono/node-server': /^serve$/,
};

/** Node's servers listen when they are told to; those of these when they are made. */
const LISTENING = new Set(['ws', 'socket.io', '@hono/node-server']);
const FRAMEWORKS = new Set(['express', 'fastify', 'koa', 'polka', 'restify', '@hapi/hapi', 'connect']);

const TICKS: Readonly<Record<string, RegExp>> = {
  'node-cron': /^schedule$/,
  cron: /^CronJob(?:\.from)?$/,
  croner: /^Cron$/,
  'node-schedule': /^scheduleJob$/,
  toad: /^ToadScheduler$/,
  bree: /^$/,
  agenda: /^(?:Agenda)?$/,
};

const WORKS: Readonly<Record<string, RegExp>> = {
  bullmq: /^Worker$/,
  bull: /^$/,
  'bee-queue': /^$/,
  piscina: /^(?:Piscina)?$/,
  tinypool: /^(?:Tinypool)?$/,
};
const WATCHES: Readonly<Record<string, RegExp>> = { chokidar: /^watch$/ };

/** Libraries that keep sessions in memory unless they are given a store, and the option that gives one. */
const SESSIONS: Readonly<Record<string, { readonly made: RegExp; readonly store: string }>> = {
  'express-session': { made: /^$/, store: 'store' },
  '@fastify/session': { made: /^(?:fastifySession)?$/, store: 'store' },
  'koa-session': { made: /^$/, store: 'store' },
};
const MEMORY_STORES: Readonly<Record<string, RegExp>> = {
  'express-session': /^MemoryStore$/,
  memorystore: /^$/,
  'express-rate-limit': /^MemoryStore$/,
};

/** What calls of well-known packages and of Node's own modules leave standing in a process. */
export const Libraries = {
  standing(call: Node, origin: Origin | null): Standing | null {
    if (origin === null) return null;
    const { module, name } = origin;
    if (origin.made === 0) {
      if (isIn(MEMORY_STORES, origin) || isStoreless(call, origin)) {
        return standing(
          'memory-session',
          `${module} keeps sessions in the memory of one instance, which is gone when that ends.`,
        );
      }
      if (isIn(SERVES, origin) && LISTENING.has(module))
        return standing(
          'server',
          'A server of its own ends with the instance, and nobody can reach it in between.',
        );
      if (isIn(CONNECTS, origin)) {
        return standing(
          'connection',
          `Every instance opens connections of its own here, and there may be many instances.`,
        );
      }
      if (isIn(TICKS, origin)) return standing('timer', `${module} ticks only while an instance runs.`);
      if (isIn(WORKS, origin)) return standing('worker', `${module} works only while an instance runs.`);
      if (isIn(WATCHES, origin))
        return standing(
          'watcher',
          'The watcher ends with the instance, and changes in between are not seen.',
        );
      if (
        module === '' &&
        (name === 'WebSocket' || name === 'EventSource') &&
        call.type === 'NewExpression'
      ) {
        return { ...standing('connection', 'The connection ends with the instance.'), onlyAtLoad: true };
      }
      if (module === 'ws' && (name === '' || name === 'WebSocket') && call.type === 'NewExpression') {
        return { ...standing('connection', 'The connection ends with the instance.'), onlyAtLoad: true };
      }
      return null;
    }
    const isServer =
      isIn(SERVES, origin, 'listen') || (FRAMEWORKS.has(module) && /(?:^|\.)listen$/.test(name));
    return isServer
      ? standing('server', 'A server of its own ends with the instance, and nobody can reach it in between.')
      : null;
  },
} as const;

function standing(rule: Rule, message: string): Standing {
  return { rule, message, onlyAtLoad: false };
}

function isIn(table: Readonly<Record<string, RegExp>>, { module, name }: Origin, method?: string): boolean {
  if (!Object.hasOwn(table, module)) return false;
  if (method === undefined) return table[module]!.test(name);
  return name.endsWith(`.${method}`) && table[module]!.test(name.slice(0, -method.length - 1));
}

function isStoreless(call: Node, origin: Origin): boolean {
  const known = Object.hasOwn(SESSIONS, origin.module) ? SESSIONS[origin.module]! : null;
  if (known === null || !known.made.test(origin.name)) return false;
  const options = (call['arguments'] as Node[]).find((argument) => argument.type === 'ObjectExpression');
  const names = ((options?.['properties'] ?? []) as Node[]).map((property) =>
    property.type === 'Property' ? keyOf(property) : null,
  );
  return !names.includes(known.store);
}
