import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../base/clock.ts';
import { Component } from '../child/component.ts';
import { LOADING } from '../child/instance.ts';
import type { Link } from '../child/link.ts';
import type { ModuleHandlers } from '../child/module-handlers.ts';
import { ChildWatch } from '../native/child-watch.ts';
import { closeDescriptor, copyOf, Receiver, socketPair, writeAll } from '../native/descriptors.ts';
import { exitNow, fork, reap, rehearse, trimHeap } from '../native/native.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME, PROTOCOL_MINOR } from '../wire/frames.ts';
import { writeRequest, type Init, type RequestFrame } from '../wire/messages.ts';
import type { StreamHandler } from '../wire/stream.ts';
import { setInstanceHost } from '../../sdk/host.ts';
import { printOver } from '../child/process-setup.ts';
import { becomeChild, forkLoop } from './fork-loop.ts';
import { becomeInstance } from './forked-instance.ts';
import { instanceWire } from './instance-wire.ts';
import { ModuleResources } from './module-resources.ts';
import { encodeMessage, MessageParser, type ForkOrder, type Report } from './orders.ts';
import { rehearseModule } from './rehearsed-module.ts';
import { wireOver } from './wire-over.ts';

/** Instances that are played through, and requests in each, until V8 has optimised the path. */
const ROUNDS = 60;
const TURNS = 10;
/** The collection throws away some of what was compiled; so many rounds bring it back. */
const ROUNDS_AFTER = 30;
/** Modules that are loaded in between: what a zygote does but once is compiled for all, if not optimised. */
const LOADINGS = 3;
/** Not by its text: the compiler would look for it. */
const EMPTY_MODULE: string = 'data:text/javascript,export default 0';
/** Forks that end at once, so that the zygote's own part is compiled. */
const FORKS = 5;

/**
 * Plays instances through within this process, from their beginning over some requests to their end, so that every fork
 * inherits that path as optimised code: otherwise each compiles it anew, and many at once do little else.
 */
export async function warmUp(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await playInstance(TURNS);
  compact();
  for (let round = 0; round < ROUNDS_AFTER; round++) await playInstance(TURNS);
  // Before modules are loaded that are gone afterwards; forks cannot: to them the folder is read only, if it is there at all.
  flushCompileCache();
  for (let round = 0; round < LOADINGS; round++) await playLoading(rehearseModule);
  playForks();
  // Node asks for this whenever a socket is closed; made here, it is there for all.
  void process.stdout.writable;
  // A signal handler makes libuv's pipe for signals, which a module that has one would otherwise be found to hold.
  const none = (): void => undefined;
  process.on('SIGTERM', none);
  process.off('SIGTERM', none);
}

/**
 * Goes once through what is to come, in a fork that waits: the pages which that writes to are then its own already, and need not
 * be copied while somebody waits for it.
 */
export async function limberUp(): Promise<void> {
  await playLoading(() => import(EMPTY_MODULE));
  await playInstance(1);
}

/** What a zygote does on its way to its module, and behind it. */
async function playLoading(load: () => Promise<unknown>): Promise<void> {
  const [server, own] = socketPair();
  const asker = wireOver(server, { side: 'server', clock: systemClock, handler: LOADING });
  const link: Link = { connection: instanceWire(own) };
  const { argv } = process;
  const before = { ...process.env } as Record<string, string>;
  new Component(link, { ...INIT, baseEnv: before }).occupy();
  const resources = new ModuleResources('PipeWrap');
  await load();
  asker.close();
  await Promise.all([asker.closed, link.connection.closed]);
  resources.found();
  printOver(null);
  setInstanceHost(null);
  process.argv = argv;
}

async function playInstance(turns: number): Promise<void> {
  const [server, own] = socketPair();
  const asker = wireOver(server, { side: 'server', clock: systemClock, handler: LOADING });
  const link: Link = { connection: asker };
  const component = new Component(link, INIT);
  component.hold(HANDLERS);
  rehearse(() => becomeChild(0));
  const begun = { message: INSTANCE, descriptors: [own, copyOf(1), copyOf(2)] };
  becomeInstance(begun, { link, component, sandbox: null, prepared: -1 }, () => undefined);
  for (let turn = 0; turn < turns; turn++) await ask(asker, REQUESTS[turn % REQUESTS.length]!);
  asker.writer.begin(FRAME.GO_AWAY, 0, 0, 0);
  asker.flush();
  await new Promise<void>((ended) => component.end(ended));
  rehearse(() => void process.emit('exit', 0));
  const gone = Promise.all([asker.closed, link.connection.closed]);
  asker.close();
  await gone;
}

/** Forks for orders of a process that plays the server, children that end at once. */
function playForks(): void {
  const [server, control] = socketPair();
  const driver = fork();
  if (driver === 0) {
    closeDescriptor(control);
    orderForks(server);
    exitNow(0);
  }
  closeDescriptor(server);
  if (forkLoop(control) !== null) exitNow(0);
  new ChildWatch().drop();
  reap(driver, true);
}

function orderForks(server: number): void {
  const receiver = new Receiver(server, 64 * 1024);
  const reports = new MessageParser<Report>();
  for (let id = 0; id < FORKS; id++) {
    writeAll(server, encodeMessage({ ...INSTANCE, id }));
    for (let over = false; !over;) {
      const received = receiver.receive();
      if (received === null) return;
      over = reports.push(received.bytes).some(({ message }) => message.said === 'ended');
    }
  }
}

/** Gives back what warming up has left: a fork copies the page tables of all memory, used or not. */
function compact(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  trimHeap();
}

function ask(connection: WireConnection, { request, body }: (typeof REQUESTS)[number]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = connection.open();
  const handler: StreamHandler = {
    context: null,
    frame: (type) => {
      if (type === FRAME.ANSWER || type === FRAME.DONE || type === FRAME.FAILED) {
        connection.forget(stream);
        resolve();
      }
    },
    data: (chunk) => stream.consumed(chunk.length),
    drained: () => undefined,
    stopped: () => undefined,
    lost: reject,
  };
  stream.handler = handler;
  writeRequest(connection.writer, stream.id, request);
  if (body !== null) {
    stream.write(body);
    stream.endBody();
  }
  connection.flush();
  return promise;
}

/** What handlers do most. */
const HANDLERS: ModuleHandlers = {
  fetch: async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === 'POST') return Response.json(await request.json(), { status: 201 });
    if (pathname === '/json') return Response.json({ warm: searchParams.get('up') });
    const headers = new Headers({ 'content-type': 'text/plain' });
    headers.set('x-accepted', request.headers.get('accept') ?? '');
    return new Response('warm', { headers });
  },
  scheduled: null,
  queue: null,
  websocket: null,
  functions: new Map(),
  onLoad: null,
  onStart: null,
};

const INSTANCE: ForkOrder = { do: 'instance', id: 0, folder: 'warm' };

const REQUEST: RequestFrame = {
  remainingMs: 30_000,
  trigger: 'route',
  hasBody: false,
  upgrades: false,
  method: 'GET',
  url: 'http://127.0.0.1:8080/warm?up=1',
  requestId: 'r_0000000000000000',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  fields: Object.entries({
    host: '127.0.0.1:8080',
    'user-agent': 'warm/1',
    accept: '*/*',
    'accept-encoding': 'gzip, br',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-request-id': 'r_0000000000000000',
  })
    .flat()
    .join('\0'),
};

const REQUESTS: readonly { readonly request: RequestFrame; readonly body: Uint8Array | null }[] = [
  { request: REQUEST, body: null },
  { request: { ...REQUEST, url: 'http://localhost/json?up=1' }, body: null },
  { request: { ...REQUEST, method: 'POST', hasBody: true }, body: Buffer.from('{"warm":[1,2,3]}') },
];

const INIT: Init = {
  minor: PROTOCOL_MINOR,
  component: 'warm',
  instance: 'warm',
  revision: 'warm',
  mode: 'function',
  concurrency: 1,
  memoryBytes: 0,
  bundlePath: '',
  filesRoot: '',
  baseEnv: {},
  env: {},
};
