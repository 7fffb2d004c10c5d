import { dieWithServer } from '../child/endings.ts';
import type { Component } from '../child/component.ts';
import type { Link } from '../child/link.ts';
import { closeDescriptor, duplicate } from '../native/descriptors.ts';
import { exitNow } from '../native/native.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME } from '../wire/frames.ts';
import type { Begun } from './fork-loop.ts';
import { enterInstance } from '../sandbox/instance.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import { becomeSelf } from './identity.ts';
import { forgetDraws } from './random-sources.ts';
import { instanceWire } from './instance-wire.ts';

/** What a function's zygote has, and leaves to its instances. */
export interface Loaded {
  readonly link: Link;
  readonly component: Component;
  readonly sandbox: SandboxPlan | null;
  /** Of `prepareInstance`; used up. -1 where there is no sandbox. */
  readonly prepared: number;
}

/** Goes on in a fork of a function's zygote: an instance, whose module or modules are loaded, at its own end of the wire. */
export function becomeInstance(
  { message, descriptors }: Begun,
  loaded: Loaded,
  whenServerGoes: (connection: WireConnection) => void = dieWithServer,
): void {
  if (message.do !== 'instance') return exitNow(1);
  const [wire, stdout, stderr] = descriptors as [number, number, number];
  becomeSelf();
  forgetDraws();
  duplicate(stdout, 1);
  duplicate(stderr, 2);
  closeDescriptor(stdout);
  closeDescriptor(stderr);
  if (loaded.sandbox !== null) {
    const own = enterInstance(loaded.sandbox, message.folder, loaded.prepared);
    // Of what the sandbox has said they are, unless the component's config says something else.
    for (const name of ['TMPDIR', 'HOME']) {
      if (process.env[name] === loaded.sandbox.tree.tmpFolder) process.env[name] = own;
    }
  }
  const connection = instanceWire(wire);
  loaded.link.connection = connection;
  whenServerGoes(connection);
  // The server sends requests at once unless it knows that this has to come first.
  const { component } = loaded;
  if (!component.hasToBegin) return component.serve();
  void component.begin().then((begun) => {
    if (!begun) return;
    component.serve();
    connection.writer.json(FRAME.READY, 0, 0, component.ready(null));
    connection.flush();
  });
}
