import { realpathSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

import { systemClock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { messageOf, type FulcrumError } from '../base/errors.ts';
import { buildError } from './build-error.ts';
import { BundleFolder } from './bundle-folder.ts';
import type { Place } from './code-frame.ts';
import type { ConfigAnswer, ConfigQuestion } from './config-messages.ts';
import { isInNodeModules } from './imports.ts';
import { runPipeline } from './pipeline.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const MEMORY_MB = 256;
/** `.ts` in a checkout, `.js` when published. */
const WORKER = new URL(`./config-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

export interface EvaluateConfigOptions {
  readonly environment: string;
  readonly sdkPath: string;
  readonly appDirectory: string;
  /** How long the config may take to evaluate; 10 s where not given. */
  readonly timeoutMs?: number;
}

export interface EvaluatedConfig {
  /** The default export, awaited, called where it is a function: plain data, not yet validated. */
  readonly config: unknown;
  /** What it was made of, for watching. */
  readonly sources: readonly string[];
}

/**
 * Bundles a config as components are bundled, and evaluates it in a thread of its own.
 * @throws FulcrumError `build-failed` where it does not build; `config-invalid` where it throws, does not end in time, ends the
 * process, has no default export or gives what is no plain data. Both carry `BuildErrorDetails`.
 */
export async function evaluateConfig(configPath: string, o: EvaluateConfigOptions): Promise<EvaluatedConfig> {
  const appDirectory = realpathSync(o.appDirectory);
  const folder = new BundleFolder(join(appDirectory, '.fulcrum', 'config'));
  const { files, sources } = await runPipeline({
    entry: configPath,
    appDirectory,
    outDirectory: folder.directory,
    sdkPath: o.sdkPath,
  });
  const timeoutMs = o.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  await folder.prune(new Set());
  const outcome = await folder.lend(files, (path) =>
    ask({ url: pathToFileURL(path).href, environment: o.environment, filesRoot: appDirectory }, timeoutMs),
  );
  if (outcome.kind === 'config') return { config: outcome.config, sources };
  throw refusal(outcome, { name: basename(configPath), timeoutMs, appDirectory, sources });
}

type Outcome =
  | ConfigAnswer
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'broke'; readonly error: unknown };

async function ask(question: ConfigQuestion, timeoutMs: number): Promise<Outcome> {
  const worker = new Worker(WORKER, {
    workerData: question,
    name: 'fulcrum config',
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  worker.once('message', (answer: ConfigAnswer) => resolve(answer));
  worker.once('messageerror', (error) => resolve({ kind: 'broke', error }));
  worker.once('error', (error) => resolve({ kind: 'broke', error }));
  worker.once('exit', (exitCode) => resolve({ kind: 'exited', exitCode }));
  const timer = systemClock.after(timeoutMs, () => resolve({ kind: 'timed-out' }));
  const outcome = await promise;
  timer.cancel();
  await worker.terminate();
  return outcome;
}

function refusal(
  outcome: Exclude<Outcome, { kind: 'config' }>,
  o: { name: string; timeoutMs: number; appDirectory: string; sources: readonly string[] },
): FulcrumError {
  const place = outcome.kind === 'thrown' ? placeIn(outcome.stack, o.appDirectory) : null;
  const cause = outcome.kind === 'broke' ? { cause: outcome.error } : {};
  return buildError([{ message: sentence(outcome, o), place, frame: null }], {
    code: 'config-invalid',
    appDirectory: o.appDirectory,
    sources: o.sources,
    ...cause,
  });
}

function sentence(
  outcome: Exclude<Outcome, { kind: 'config' }>,
  o: { name: string; timeoutMs: number },
): string {
  switch (outcome.kind) {
    case 'no-default': {
      const found = outcome.exports.length === 0 ? 'nothing' : `only ${outcome.exports.join(', ')}`;
      return `${o.name} has no default export: it exports ${found}. Write 'export default defineApp({ … })'.`;
    }
    case 'not-cloneable': {
      const where = outcome.path === '' ? 'the config' : `'${outcome.path.replace(/^\./, '')}'`;
      return `${o.name}: ${where} is ${outcome.what}; a config holds only plain data.`;
    }
    case 'thrown':
      return `${o.name} threw an error: ${outcome.message}`;
    case 'timed-out':
      return `${o.name} was not evaluated within ${formatDuration(o.timeoutMs)}: it loops, or awaits what does not come.`;
    case 'exited':
      return `${o.name} ended its thread (exit code ${outcome.exitCode}) before it gave a config: it must not call process.exit, and what it awaits must come.`;
    case 'broke':
      break;
  }
  return `${o.name} could not be evaluated: ${messageOf(outcome.error)}`;
}

/** The topmost place of a stack that lies in the author's code. */
function placeIn(stack: string | null, appDirectory: string): Place | null {
  const notTheirs = [join(appDirectory, '.fulcrum') + sep, fileURLToPath(new URL('.', WORKER))];
  const places = (stack ?? '').matchAll(/((?:file:\/\/)?\/[^\n()]*?):(\d+):(\d+)\)?$/gm);
  for (const [, location, line, column] of places) {
    const file = location!.startsWith('file:') ? fileURLToPath(location!) : location!;
    if (isInNodeModules(file) || notTheirs.some((folder) => file.startsWith(folder))) continue;
    return { file, line: Number(line), column: Number(column) };
  }
  return null;
}
