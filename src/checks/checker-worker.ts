import { basename, dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { authorLines } from './author-lines.ts';
import { bundleModules } from './bundle-files.ts';
import { checkSwitch } from './check-switch.ts';
import type { CheckerAnswer, CheckerQuestion } from './checker-messages.ts';
import { notChecked, type Finding } from './finding.ts';

/** Runs in a thread of its own, so that the server goes on whatever the code does to the parser, and however much there is of it. */
function check({ bundlePath, appDirectory, libraries, ...question }: CheckerQuestion): readonly Finding[] {
  let modules;
  try {
    modules = bundleModules(bundlePath);
  } catch (error) {
    return [
      notChecked(
        error instanceof RangeError
          ? 'The bundle is too large to be checked.'
          : 'The bundle could not be read, so its code was not checked.',
      ),
    ];
  }
  const places = { directory: dirname(bundlePath), appDirectory, libraries };
  return checkSwitch(
    { ...question, modules, entry: basename(bundlePath), places },
    authorLines(appDirectory),
  );
}

function answer(): CheckerAnswer {
  try {
    return { findings: check(workerData as CheckerQuestion) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

parentPort?.postMessage(answer(), []);
