import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, type Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { FakeClock } from '../base/fake-clock.ts';
import { randomText, requestId } from '../base/ids.ts';
import type { ModeSetting } from '../model/app.ts';
import type { AppEvents } from '../model/app-events.ts';
import type { InvocationContext } from '../model/invocation.ts';
import type { LogEntry } from '../model/log.ts';
import type { ComponentStatus } from '../model/status.ts';
import type { ManualInvocation, ManualResult } from '../control/port.ts';
import type { EventPublisher } from '../sdk/handler-types.ts';
import { Platform } from '../server/platform.ts';
import { builderFor, prepare } from '../server/prepare.ts';
import { newTraceparent } from '../server/traceparent.ts';
import { testEvents } from './test-events.ts';
import { decodeValue, encodeValue } from '../runtime/child/values.ts';
import { fromThrown } from '../runtime/wire/thrown.ts';

export interface StartAppOptions {
  /** The folder with `fulcrum.config.ts`: a path, or a `file:` URL such as `new URL('.', import.meta.url)`. */
  readonly directory: string | URL;
  /** What the config is told. Default: `test`. */
  readonly environment?: string;
  /** Values of secrets, instead of those in `.env` files. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** A clock that the test moves: timeouts, keep-alive, health checks and schedules follow it. Default: real time. */
  readonly clock?: FakeClock;
}

/** A function by name with its arguments, a tick of the schedule, or events for the `queue` handler. */
export type TestInvocation = ManualInvocation;
export type TestResult = ManualResult;

export interface TestApp {
  /** Where the gateway listens, on a port that the system chose; without a slash at the end. */
  readonly url: string;
  /** An HTTP request through the gateway. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Calls a component's named function just as another component would: `args` and the result are cloned.
   * @throws what it threw (name, message, code and cause kept), or an error whose code says why it could not be called.
   */
  call(component: string, functionName: string, ...args: readonly unknown[]): Promise<unknown>;
  /** Publishes events, as somebody from outside would. */
  readonly events: EventPublisher;
  /** What is kept of events and asynchronous invocations: what waits, what is dead, and what can be done with it. */
  readonly kept: AppEvents;
  /** Runs any invocation and tells everything about it; rejects only where there is no such component. */
  invoke(component: string, invocation: TestInvocation): Promise<TestResult>;
  /** Changes a component's mode. Resolves when the new mode serves. */
  mode(component: string, mode: ModeSetting): Promise<void>;
  status(): Promise<readonly ComponentStatus[]>;
  /** The latest lines of the app's log, oldest first. */
  logs(component?: string): readonly LogEntry[];
  /** Ends every instance and frees every port and file. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const LOG_LINES = 10_000;
const CLOSE_DRAIN_MS = 1_000;

/**
 * Starts an app as `fulcrum dev` would, with its store in a temporary folder and everything on ports that the system chooses.
 * @throws FulcrumError `config-invalid`, `secret-missing`, `build-failed` or `start-failed`; nothing is left running then.
 */
export async function startApp(options: StartAppOptions): Promise<TestApp> {
  const given =
    options.directory instanceof URL ? fileURLToPath(options.directory) : resolve(options.directory);
  const directory = await realpath(given).catch(() => {
    throw new FulcrumError('not-found', `There is no folder ${given}.`);
  });
  const environment = options.environment ?? 'test';
  const data = await mkdtemp(join(tmpdir(), 'fulcrum-test-'));
  const build = join(directory, '.fulcrum', 'test', randomText(8));
  const builder = builderFor(directory, build);
  const clock = options.clock ?? systemClock;
  const removeFolders = async (): Promise<void> => {
    await Promise.all([data, build].map((folder) => rm(folder, { recursive: true, force: true })));
  };
  const platform = await Platform.start({
    dataDirectory: data,
    databaseUrl: null,
    environment,
    clock,
    processClock: clockOfProcesses(clock),
    serverTiming: true,
    isAlone: true,
  }).catch(async (error: unknown) => {
    await removeFolders();
    throw error;
  });
  const close = async (): Promise<void> => {
    // A clock that stands still would never let a drain come to its end.
    await platform.close(options.clock ? 0 : CLOSE_DRAIN_MS);
    await builder.close();
    await removeFolders();
  };
  try {
    const secrets = new Map(Object.entries(options.secrets ?? {}));
    await platform.deploy(await prepare({ directory, environment, builder, secrets }));
    const { gatewayUrl: url } = await platform.listen({
      gatewayPorts: [0],
      adminPorts: null,
      host: '127.0.0.1',
    });
    return testApp(platform, url, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function testApp(platform: Platform, url: string, close: () => Promise<void>): TestApp {
  const { control } = platform;
  const invoke = (component: string, invocation: TestInvocation): Promise<TestResult> =>
    control.invoke(component, invocation, new AbortController().signal);
  let closing: Promise<void> | null = null;
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    url,
    fetch: (path, init) => fetch(new URL(path, url), init),
    async call(component, functionName, ...args) {
      const bytes = encodeValue(args, 'clone', 'arguments');
      const result = await platform.caller.call(
        'a test',
        component,
        { kind: 'call', function: functionName, args: { encoding: 'clone', bytes } },
        testContext(),
      );
      if (result.thrown) throw fromThrown(result.thrown);
      if (result.error) throw result.error;
      return result.value === null ? undefined : decodeValue(result.value.bytes, 'clone');
    },
    events: testEvents(control.events),
    kept: control.events,
    invoke,
    async mode(component, mode) {
      // Whoever writes a test knows what is switched.
      await control.setMode(component, mode, { force: true });
    },
    status: () => control.components(),
    logs: (component) => platform.log.query({ component, limit: LOG_LINES }),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

/** Who calls from a test: nobody's request, and no hurry. */
function testContext(): InvocationContext {
  return {
    component: 'hello',
    call: null,
    requestId: requestId(),
    traceparent: newTraceparent(),
    trigger: 'call',
    deadlineMs: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
  };
}

/** Processes start, answer and end in real time, whatever the test's clock says; only what time it is they share. */
function clockOfProcesses(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, run) => systemClock.after(delayMs, run),
    every: (periodMs, run) => systemClock.every(periodMs, run),
  };
}
