/**
 * The program of a module's instance. Started by a runtime with one line of JSON on its standard input (where to connect,
 * and the token that proves who it is), so that nothing secret stands in its arguments or its environment. It connects,
 * is told what to run, loads that and serves until its connection or a signal ends it.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import { descriptorOf } from '../../base/descriptor-of.ts';
import { WireConnection } from '../wire/connection.ts';
import { FRAME, PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../wire/frames.ts';
import { MAX_FRAME_BYTES } from '../wire/limits.ts';
import { readJson, type Hello, type Init } from '../wire/messages.ts';
import { Component } from './component.ts';
import { dieWithServer } from './endings.ts';
import { installFetchObjects } from './fetch/globals.ts';
import { LOADING } from './instance.ts';

interface Boot {
  readonly socketPath: string;
  readonly instance: string;
  readonly token: string;
  /** Whether it is to leave no traces for processes of its own user. */
  readonly untraced: boolean;
  /** Whether it is to have its socket hold more. */
  readonly widens: boolean;
}

const boot = JSON.parse(readFileSync(0, 'utf8')) as Boot;
if (boot.untraced) {
  const { leaveNoTraces } = await foreign(() => import('../sandbox/traces.ts'));
  leaveNoTraces();
}
/** Null as well where this Node is not the server's, and has none: it is slower without. */
const native = boot.widens
  ? await foreign(() => import('../native/socket-buffer.ts')).catch(() => null)
  : null;
/** For all that comes: what is kept of it is copied. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
const socket = connect({
  path: boot.socketPath,
  onread: {
    buffer: readBuffer,
    callback: (length) => {
      connection.receive(readBuffer.subarray(0, length));
      return true;
    },
  },
});
socket.once('connect', () => {
  const descriptor = descriptorOf(socket);
  if (descriptor !== null) native?.widenSendBuffer(descriptor);
});
const connection: WireConnection = new WireConnection({
  socket,
  adopts: true,
  side: 'instance',
  clock: systemClock,
  handler: {
    ...LOADING,
    control: (type, _flags, payload) => {
      if (type === FRAME.WELCOME) void start(readJson(payload) as unknown as Init);
    },
  },
  maxPeerStreams: Number.MAX_SAFE_INTEGER,
  maxFrameBytes: MAX_FRAME_BYTES,
});
dieWithServer(connection);
const hello: Hello = {
  major: PROTOCOL_MAJOR,
  minor: PROTOCOL_MINOR,
  instance: boot.instance,
  token: boot.token,
};
connection.writer.json(FRAME.HELLO, 0, 0, hello);
connection.flush();

async function start(init: Init): Promise<void> {
  connection.handler = LOADING;
  installFetchObjects();
  const component = new Component({ connection }, init);
  component.occupy();
  if (!(await component.load()) || !(await component.begin())) return;
  component.serve();
  component.endOnSignal();
  connection.writer.json(FRAME.READY, 0, 0, component.ready(inspectUrl()));
  connection.flush();
}

/** Imported only where it is asked for, and so where Node has foreign functions; that they are experimental is no news to an author. */
async function foreign<T>(load: () => Promise<T>): Promise<T> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

function inspectUrl(): string | null {
  if (!process.execArgv.some((argument) => argument.startsWith('--inspect'))) return null;
  return process.getBuiltinModule('node:inspector').url() ?? null;
}
