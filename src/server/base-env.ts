/** What every process needs to find programs, its home and its language; everything else comes from the config alone. */
const NAMES = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ'] as const;

/** Environments whose name `NODE_ENV` repeats; to libraries every other one is production. */
const NODE_ENVS = new Set(['development', 'test']);

/** The variables that instances get besides those that their config names. Nothing else of the shell reaches them. */
export function baseEnv(
  shell: Readonly<Record<string, string | undefined>>,
  environment: string,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = {
    NODE_ENV: NODE_ENVS.has(environment) ? environment : 'production',
    FULCRUM_ENVIRONMENT: environment,
  };
  for (const name of NAMES) {
    const value = shell[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
