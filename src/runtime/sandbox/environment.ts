import type { SandboxPlan } from './plan.ts';

type Env = Readonly<Record<string, string>>;

/** `env` for a process in the sandbox `plan`, where the home and the temporary folder of whoever started the server are not. */
export function sandboxEnv(env: Env, plan: SandboxPlan | null): Env {
  return plan === null ? env : { ...env, HOME: plan.tree.tmpFolder, TMPDIR: plan.tree.tmpFolder };
}
