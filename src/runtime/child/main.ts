/**
 * The program of a module's instance. Started by a runtime with one line of JSON on its standard input (where to connect,
 * and the token that proves who it is), so that nothing secret stands in its arguments or its environment. It connects,
 * is told what to run, loads that and serves until its connection or a signal ends it.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import { setInstanceHost } from '../../sdk/host.ts';
import { WireConnection } from '../wire/connection.ts';
import { FRAME, PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../wire/frames.ts';
import { MAX_FRAME_BYTES } from '../wire/limits.ts';
import { readJson, type Hello, type Init, type Ready } from '../wire/messages.ts';
import { toThrown } from '../wire/thrown.ts';
import { CallClient } from './call-client.ts';
import { captureConsole } from './console-capture.ts';
import { dieWithServer, endOnFault, endOnSignal } from './endings.ts';
import { setEnvironment } from './environment.ts';
import { installFetchObjects } from './fetch/globals.ts';
import { ChildInstance, LOADING, sendLine } from './instance.ts';
import { listOf, loadModule } from './module-handlers.ts';

interface Boot {
  readonly socketPath: string;
  readonly instance: string;
  readonly token: string;
}

const boot = JSON.parse(readFileSync(0, 'utf8')) as Boot;
/** For all that comes: what is kept of it is copied. Holds what the socket does. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
const connection: WireConnection = new WireConnection({
  socket: connect({
    path: boot.socketPath,
    onread: {
      buffer: readBuffer,
      callback: (length) => {
        connection.receive(readBuffer.subarray(0, length));
        return true;
      },
    },
  }),
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
  setEnvironment({ ...init.baseEnv, ...init.env });
  process.argv = [process.execPath, init.bundlePath];
  process.setSourceMapsEnabled(true);
  (globalThis as Record<symbol, unknown>)[Symbol.for('fulcrum.files-root')] = init.filesRoot;
  installFetchObjects();
  captureConsole((stream, level, text) => sendLine(connection, null, stream, level, text));
  const calls = new CallClient(connection);
  setInstanceHost({
    version: 1,
    component: init.component,
    call: (component, functionName, args) => calls.call(component, functionName, args),
  });
  const fault = endOnFault(connection);
  try {
    const handlers = await loadModule(init.bundlePath);
    fault.loaded();
    const instance = new ChildInstance(connection, init, handlers);
    endOnSignal(instance);
    const ready: Ready = { handlers: listOf(handlers), inspectUrl: inspectUrl() };
    connection.writer.json(FRAME.READY, 0, 0, ready);
    connection.flush();
  } catch (error) {
    // The server ends the process when it has read this.
    connection.writer.json(FRAME.INIT_FAILED, 0, 0, toThrown(error));
    connection.flush();
  }
}

function inspectUrl(): string | null {
  if (!process.execArgv.some((argument) => argument.startsWith('--inspect'))) return null;
  return process.getBuiltinModule('node:inspector').url() ?? null;
}
