import { access, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asFulcrumError, type ErrorCode } from '../../base/errors.ts';
import { fail, ok, warning, type Finding } from './finding.ts';

const CONFIG_FILES = ['fulcrum.config.ts', 'fulcrum.config.mts', 'fulcrum.config.js', 'fulcrum.config.mjs'];

/** Prepares an app as a deploy would. Rejects with `config-invalid`, `secret-missing` or `build-failed`. */
export type PrepareApp = (
  directory: string,
  environment: string,
) => Promise<{ name: string; components: number }>;

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
    const { name, components } = await prepare(directory, environment);
    return [
      ok('config', `${name}, ${components} components`),
      ok('secrets', 'all have a value'),
      ok('code', 'builds'),
    ];
  } catch (thrown) {
    const error = asFulcrumError(thrown);
    const failed = STEP_OF[error.code] ?? 'config';
    const passed = STEPS.slice(0, STEPS.indexOf(failed));
    return [...passed.map((step) => ok(step, 'ok')), fail(failed, error.message, ADVICE[failed])];
  }
}

async function hasConfig(directory: string): Promise<boolean> {
  const found = await Promise.allSettled(CONFIG_FILES.map((file) => access(join(directory, file))));
  return found.some(({ status }) => status === 'fulfilled');
}

/** With the server's own preparation, into a folder that is removed again. */
export async function prepareApp(
  directory: string,
  environment: string,
): Promise<{ name: string; components: number }> {
  const { builderFor, prepare } = await import('../../server/prepare.ts');
  const out = join(directory, '.fulcrum', 'doctor');
  const builder = builderFor(directory, out);
  try {
    const { app } = await prepare({ directory, environment, builder });
    return { name: app.name, components: app.components.size };
  } finally {
    await builder.close();
    await rm(out, { recursive: true, force: true });
    // Ours alone only where nothing has run here before.
    await rmdir(dirname(out)).catch(() => undefined);
  }
}
