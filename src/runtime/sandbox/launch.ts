import { fileURLToPath } from 'node:url';
import type { SandboxPlan } from './plan.ts';

/** A program with its arguments and whole environment, as {@link ManagedProcess} starts it. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the launcher is told. */
export interface Launch {
  readonly plan: SandboxPlan;
  readonly program: Program;
  readonly parentPid: number;
}

export interface LaunchOptions {
  /** The Node that runs the launcher; the server's own by default. */
  readonly nodePath?: string;
  /** Where the launcher's compiled code is kept. Only the server may be able to write it: the launcher may be root. */
  readonly compileCacheFolder?: string;
  /** Its parent, whose end it must not outlive; this process by default. */
  readonly parentPid?: number;
}

const VARIABLE = 'FULCRUM_LAUNCH_';
/** The kernel takes no variable that is longer than 128 KB. */
const CHUNK_CHARACTERS = 32 * 1024;

/**
 * `program` in the sandbox `plan`: a Node that enters it and then becomes the program, with the same process id, folder and
 * standard streams. Start it in the program's folder, which the plan must let it see.
 * The program's environment is wrapped up: what it says (`NODE_OPTIONS`, `LD_PRELOAD`) is not for the launcher, which may be
 * root; and it is not an argument, which other users can read.
 */
export function launch(plan: SandboxPlan, program: Program, options: LaunchOptions = {}): Program {
  const told: Launch = { plan, program, parentPid: options.parentPid ?? process.pid };
  const cache = options.compileCacheFolder;
  return {
    file: options.nodePath ?? process.execPath,
    args: ['--disable-warning=ExperimentalWarning', launcherMain()],
    env: { ...wrap(JSON.stringify(told)), ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) },
  };
}

export function wrap(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (let at = 0; at < text.length; at += CHUNK_CHARACTERS) {
    variables[`${VARIABLE}${at / CHUNK_CHARACTERS}`] = text.slice(at, at + CHUNK_CHARACTERS);
  }
  return variables;
}

export function unwrap(env: NodeJS.ProcessEnv): string {
  let text = '';
  for (let index = 0; ; index++) {
    const chunk = env[`${VARIABLE}${index}`];
    if (chunk === undefined) return text;
    text += chunk;
  }
}

/** A source file beside this one, or what the build has made of it. */
function launcherMain(): string {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./launcher-main.${ending}`, import.meta.url));
}
