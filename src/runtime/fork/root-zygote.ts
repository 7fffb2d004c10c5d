/**
 * The program of a root zygote: Node and the runtime's child, warm, and nothing of anybody's code. Started by the launcher.
 * Its children become function zygotes, and theirs instances; all of them begin here.
 */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { installFetchObjects } from '../child/fetch/globals.ts';
import { writeAll } from '../native/descriptors.ts';
import { exitNow } from '../native/native.ts';
import { inheritOrphans } from '../native/process-control.ts';
import { becomeBlank } from './blank-zygote.ts';
import { forkLoop } from './fork-loop.ts';
import { encodeMessage } from './orders.ts';
import { putTextOnHugePages } from '../native/huge-text.ts';
import { hideWorkerThreads } from '../native/v8-platform.ts';
import { replaceRandomSources } from './random-sources.ts';
import { takeClocks, takeExits } from './identity.ts';
import { rehearseFunctionSandbox } from './rehearsal.ts';
import { warmUp } from './warm-up.ts';

const CONTROL = 3;

process.execArgv.length = 0;
putTextOnHugePages();
if (!hideWorkerThreads()) {
  process.stderr.write('Threads of node:worker_threads may not end in forked instances of this Node.\n');
}
inheritOrphans();
replaceRandomSources();
takeExits();
takeClocks();
installFetchObjects();
try {
  await rehearseFunctionSandbox();
  await warmUp();
} catch (error) {
  // Node says it only after the listeners of `exit`, behind which this process ends.
  writeSync(2, `The root zygote could not be warmed up: ${inspect(error)}\n`);
  exitNow(1);
}
writeAll(CONTROL, encodeMessage({ said: 'warm' }));
// Not within the promise job that led here: a child goes on from where it was forked.
setImmediate(() => {
  const begun = forkLoop(CONTROL);
  if (begun === null) exitNow(0);
  void becomeBlank(begun);
});
