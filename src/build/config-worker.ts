import { parentPort, workerData } from 'node:worker_threads';

import { messageOf } from '../base/errors.ts';
import { findUncloneable } from './cloneable.ts';
import type { ConfigAnswer, ConfigQuestion } from './config-messages.ts';
import { FILES_ROOT } from './module-paths.ts';

/** Runs in a thread of its own, so that whatever the config does, the server goes on. */
async function evaluate(question: ConfigQuestion): Promise<ConfigAnswer> {
  // Errors then carry the places of the author's own file.
  process.setSourceMapsEnabled(true);
  (globalThis as { [FILES_ROOT]?: string })[FILES_ROOT] = question.filesRoot;
  const module = (await import(question.url)) as { default?: unknown };
  if (!('default' in module)) return { kind: 'no-default', exports: Object.keys(module) };
  const config: unknown = await (typeof module.default === 'function'
    ? (module.default as (given: { environment: string }) => unknown)({ environment: question.environment })
    : module.default);
  const refused = findUncloneable(config);
  return refused === null ? { kind: 'config', config } : { kind: 'not-cloneable', ...refused };
}

function thrown(error: unknown): ConfigAnswer {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : null;
  return { kind: 'thrown', message: messageOf(error), stack };
}

function answer(value: ConfigAnswer): void {
  // What goes wrong from here on is of no account, and must not overtake the answer.
  process.on('uncaughtException', () => undefined);
  parentPort?.postMessage(value, []);
}

// Not awaited: where the config never comes, the thread runs out of work and ends, which the other side hears of.
evaluate(workerData as ConfigQuestion)
  .then(answer)
  .catch((error: unknown) => answer(thrown(error)));
