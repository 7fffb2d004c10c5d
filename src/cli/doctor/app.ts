import { access, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes } from '../../base/bytes.ts';
import { asFulcrumError, type ErrorCode } from '../../base/errors.ts';
import { sizeWords } from '../size-words.ts';
import { fail, ok, warning, type Finding } from './finding.ts';

const CONFIG_FILES = ['fulcrum.config.ts', 'fulcrum.config.mts', 'fulcrum.config.js', 'fulcrum.config.mjs'];

/** Prepares an app as a deploy would. Rejects with `config-invalid`, `secret-missing` or `build-failed`. */
export type PrepareApp = (directory: string, environment: string) => Promise<PreparedApp>;

export interface PreparedApp {
  readonly name: string;
  readonly components: number;
  readonly groups: number;
  readonly fit: AppFit;
}

export interface AppFit {
  /** What a server on this machine has for instances by default. */
  readonly memoryBytes: number;
  /** What is kept for the minimum of its services. */
  readonly minimumBytes: number;
  /** For each kind of components that may grow beyond that: how far. */
  readonly unfit: readonly { readonly text: string; readonly never: boolean }[];
}

/** The steps of a preparation, in its order: what comes before the one that failed went well. */
const STEPS = ['config', 'secrets', 'code'] as const;
const STEP_OF: Partial<Record<ErrorCode, (typeof STEPS)[number]>> = {
  'config-invalid': 'config',
  'secret-missing': 'secrets',
  'build-failed': 'code',
};
const ADVICE: Record<(typeof STEPS)[number], string> = {
  config: 'Mend the config; nothing starts before it is valid.',
  secrets: 'Write the secrets into .env beside the config.',
  code: 'Mend the code; `fulcrum dev` says when it builds again.',
};

export async function checkApp(
  directory: string,
  environment: string,
  prepare: PrepareApp,
): Promise<Finding[]> {
  if (!(await hasConfig(directory))) {
    return [
      warning(
        'config',
        `no fulcrum.config.ts in ${directory}`,
        'Name the app’s folder, or make one: fulcrum init DIR',
      ),
    ];
  }
  try {
    const { name, components, groups, fit } = await prepare(directory, environment);
    return [
      ok('config', `${name}, ${sizeWords(components, groups)}`),
      ok('secrets', 'all have a value'),
      ok('code', 'builds'),
      judgeFit(fit),
    ];
  } catch (thrown) {
    const error = asFulcrumError(thrown);
    const failed = STEP_OF[error.code] ?? 'config';
    const passed = STEPS.slice(0, STEPS.indexOf(failed));
    return [...passed.map((step) => ok(step, 'ok')), fail(failed, error.message, ADVICE[failed])];
  }
}

/** Whether this machine has room for the app, without others. */
export function judgeFit({ memoryBytes, minimumBytes, unfit }: AppFit): Finding {
  const budget = formatBytes(memoryBytes);
  const all = unfit.map(({ text }) => text).join('; ');
  if (minimumBytes > memoryBytes) {
    return warning(
      'fit',
      `the services need ${formatBytes(minimumBytes)}, and this machine's budget is ${budget}`,
      'Lower `memory` or `replicas`, or give the server a larger --memory-budget.',
    );
  }
  if (unfit.some(({ never }) => never)) {
    return warning('fit', all, 'Lower `memory`, or give the server a larger --memory-budget.');
  }
  if (unfit.length > 0) return ok('fit', all);
  return ok('fit', `each component at its most fits into this machine's budget of ${budget}`);
}

async function hasConfig(directory: string): Promise<boolean> {
  const found = await Promise.allSettled(CONFIG_FILES.map((file) => access(join(directory, file))));
  return found.some(({ status }) => status === 'fulfilled');
}

/** With the server's own preparation, into a folder that is removed again. */
export async function prepareApp(directory: string, environment: string): Promise<PreparedApp> {
  const [{ builderFor, prepare }, { fitOf }] = await Promise.all([
    import('../../server/prepare.ts'),
    import('../../server/fit-of.ts'),
  ]);
  const out = join(directory, '.fulcrum', 'doctor');
  const builder = builderFor(directory, out);
  try {
    const { app } = await prepare({ directory, environment, builder });
    return { name: app.name, components: app.components.size, groups: app.groups.size, fit: fitOf(app) };
  } finally {
    await builder.close();
    await rm(out, { recursive: true, force: true });
    // Ours alone only where nothing has run here before.
    await rmdir(dirname(out)).catch(() => undefined);
  }
}
