import { enableCompileCache, flushCompileCache } from 'node:module';
import { messageOf } from '../../base/errors.ts';
import { Component } from '../child/component.ts';
import { dieWithServer } from '../child/endings.ts';
import { LOADING } from '../child/instance.ts';
import type { Link } from '../child/link.ts';
import { closeDescriptor, duplicate, writeAll } from '../native/descriptors.ts';
import { exitNow, trimHeap } from '../native/native.ts';
import { enterComponent } from '../sandbox/enter.ts';
import { emptyInstance, prepareInstance } from '../sandbox/instance.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME } from '../wire/frames.ts';
import { readJson, type Init } from '../wire/messages.ts';
import { toThrown } from '../wire/thrown.ts';
import { forkLoop, type ForkHooks } from './fork-loop.ts';
import { endLoudly } from './end-loudly.ts';
import { becomeInstance } from './forked-instance.ts';
import { atLast, becomeSelf } from './identity.ts';
import { endByOwnSignals } from './own-signals.ts';
import { authorsPlace, ModuleResources } from './module-resources.ts';
import { encodeMessage, type BecomeOrder, type Received, type Report } from './orders.ts';
import { forgetDraws, watchDraws } from './random-sources.ts';
import { instanceWire } from './instance-wire.ts';

/** Different sources that are told of; a library that draws a thousand times is told once. */
const MAX_WARNINGS = 5;

/**
 * Goes on in a blank zygote: enters the component's own part of the sandbox, loads one revision's module as an instance would,
 * over a wire of its own, then closes that and forks an instance for each order on `control`; or, where it is to be alone, serves
 * over that wire. The server ends it.
 * @param refused what kept it from the blank part of the sandbox; null for nothing. Told as the reason why it cannot load.
 */
export async function becomeFunctionZygote(
  control: number,
  { message, descriptors }: Received<BecomeOrder>,
  refused: unknown,
): Promise<void> {
  const [wire, stdout, stderr] = descriptors as [number, number, number];
  duplicate(stdout, 1);
  duplicate(stderr, 2);
  closeDescriptor(stdout);
  closeDescriptor(stderr);
  becomeSelf();
  forgetDraws();
  try {
    if (message.sandbox !== null && refused === null) enterComponent(message.sandbox);
  } catch (error) {
    refused = error;
  }
  const link: Link = { connection: instanceWire(wire) };
  const init = await welcome(link.connection);
  if (refused !== null) {
    link.connection.writer.json(FRAME.INIT_FAILED, 0, 0, toThrown(refused));
    link.connection.flush();
    return;
  }
  process.chdir(init.filesRoot);
  // In a sandbox that folder is not to be seen.
  const cache = message.sandbox === null ? message.compileCacheFolder : null;
  if (cache !== null) enableCompileCache(cache);
  atLast(() => link.connection.flush());
  const component = new Component(link, init);
  component.occupy();
  if (message.alone) {
    closeDescriptor(control);
    return await serveAlone(link.connection, component);
  }
  const resources = new ModuleResources('PipeWrap');
  const warnings = drawsOf();
  const isLoaded = await component.load();
  watchDraws(null);
  if (!isLoaded) return;
  link.connection.writer.json(FRAME.READY, 0, 0, component.ready(null));
  const callsUnderWay = component.callsUnderWay;
  link.connection.close();
  await link.connection.closed;
  // What the module has closed is gone two turns of the loop later.
  await turn();
  await turn();
  const held = resources.found();
  if (callsUnderWay > 0) held.push('a call to another component or an event that is being published');
  if (cache !== null) flushCompileCache();
  const unsuited = held.length === 0 ? null : `its module holds ${held.join(', ')} once it is loaded`;
  report(control, { said: 'loaded', unsuited, starts: component.hasToBegin, warnings });
  if (unsuited !== null) exitNow(0);
  const { sandbox } = message;
  // The next instance's part that is the same for all; made behind the one before, and not on its way.
  let prepared = sandbox === null ? -1 : prepareInstance(sandbox);
  let state: 'untidy' | 'tidy' = 'untidy';
  /** Folders of instances that have ended, and were so full that not all could be removed at once. */
  const full: string[] = [];
  const empty = (): void => {
    const folder = full[0];
    if (folder !== undefined && emptyInstance(sandbox!, folder)) full.shift();
  };
  const hooks: ForkHooks = {
    forked: () => {
      if (sandbox !== null) {
        closeDescriptor(prepared);
        prepared = prepareInstance(sandbox);
      }
      if (state === 'tidy') return;
      // What loading has left: the first instance does not wait for it.
      state = 'tidy';
      trimHeap();
    },
    ended: (order) => {
      if (sandbox !== null && order.do === 'instance') full.push(order.folder);
      empty();
    },
  };
  // Each instance inherits it: whoever listens for a signal anew in each makes libuv begin anew.
  component.endOnSignal();
  setImmediate(() => {
    try {
      const begun = forkLoop(control, hooks);
      if (begun === null) exitNow(0);
      becomeInstance(begun, { link, component, sandbox, prepared });
    } catch (error) {
      endLoudly(error);
    }
  });
}

/** The only instance, for as long as there is work: it may hold what a fork could not share, and draw what it likes. */
async function serveAlone(connection: WireConnection, component: Component): Promise<void> {
  // As the first of a process tree it is not killed from within that.
  dieWithServer(connection, () => exitNow(1));
  endByOwnSignals();
  if (!(await component.load()) || !(await component.begin())) return;
  component.serve();
  component.endOnSignal();
  connection.writer.json(FRAME.READY, 0, 0, component.ready(null));
  connection.flush();
}

function welcome(connection: WireConnection): Promise<Init> {
  let state: 'waiting' | 'welcome' = 'waiting';
  return new Promise((resolve) => {
    connection.handler = {
      ...LOADING,
      control: (type, _flags, payload) => {
        if (type !== FRAME.WELCOME) return;
        connection.handler = LOADING;
        state = 'welcome';
        resolve(readJson(payload) as unknown as Init);
      },
    };
    // Without its server it is an orphan.
    void connection.closed.then(() => {
      if (state === 'waiting') exitNow(0);
    });
  });
}

/** Begins to note what the module draws; what has been noted is in the array given. */
function drawsOf(): string[] {
  const warnings: string[] = [];
  const seen = new Set<string>();
  watchDraws((source) => {
    if (seen.size >= MAX_WARNINGS) return;
    const place = authorsPlace(new Error('drawn here').stack ?? '');
    const what = `${source}${place === null ? '' : ` (${place})`}`;
    if (seen.has(what)) return;
    seen.add(what);
    warnings.push(
      `The module draws random numbers while it is loaded: ${what}. Every instance begins with what was drawn then; draw in a handler or in \`onStart\`, or each may give out the same.`,
    );
  });
  return warnings;
}

function report(control: number, loaded: Report): void {
  try {
    writeAll(control, encodeMessage(loaded));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    exitNow(1);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
