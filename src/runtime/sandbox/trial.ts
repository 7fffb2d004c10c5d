import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { launch } from './launch.ts';
import type { Machine } from './machine.ts';
import { planSandbox, routeOf, type SandboxPlan, type SandboxRequest } from './plan.ts';

const run = promisify(execFile);
const LIMIT_MS = 20_000;
const MB = 1024 * 1024;

/**
 * `machine` as an attempt has shown it to be: a container's own filter, a security module or what is mounted over /proc may
 * refuse namespaces and mounts to those who have the right to them, and say so nowhere. What is tried is an entry of each
 * kind, by which a program is reached; nothing stays of it. Takes as long as two starts of Node.
 * @param folder an empty one, on which something is mounted that nobody else sees.
 */
export async function tryNamespaces(machine: Machine, folder: string): Promise<Machine> {
  const kinds = (['function', 'program'] as const).filter((kind) => routeOf(machine, kind).route !== 'plain');
  const failures = await Promise.all(kinds.map((kind) => failureOf(machine, kind, folder)));
  const failure = failures.find((text) => text !== null);
  if (failure === undefined) return machine;
  return {
    ...machine,
    capabilities: { ...machine.capabilities, administrate: false },
    namespacesFailed: `an attempt to make namespaces failed (${failure})`,
  };
}

/** What was said when the entry failed; null where it did not, or where there is nothing to try it with. */
async function failureOf(
  machine: Machine,
  kind: SandboxRequest['kind'],
  folder: string,
): Promise<string | null> {
  const { route } = routeOf(machine, kind);
  const plan = trialPlan(machine, kind, folder);
  // A function's zygote is in a process tree of its own, and an ordinary user's in a user namespace as well, before it enters
  // the rest. Nothing else has to be mapped to try that: what is given up last needs no right.
  const user = route === 'user-namespace' ? ['--user', '--map-root-user'] : [];
  const before = kind === 'function' ? ['unshare', ...user, '--pid', '--fork'] : [];
  const node = { file: process.execPath, args: ['--version'], env: { PATH: '/usr/bin:/bin' } };
  // The first of a process tree has no parent in it.
  const { file, args, env } = launch(
    { ...plan, route: 'root' },
    node,
    before.length > 0 ? { parentPid: 0 } : {},
  );
  const [program, ...rest] = [...before, file, ...args] as [string, ...string[]];
  try {
    await run(program, rest, { timeout: LIMIT_MS, cwd: '/', env: { PATH: process.env['PATH'], ...env } });
    return null;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') return null;
    const said = (stderr ?? '').trim().split('\n')[0] ?? '';
    return said === '' ? `it ended with ${code}` : said;
  }
}

function trialPlan(machine: Machine, kind: SandboxRequest['kind'], folder: string): SandboxPlan {
  return planSandbox(
    { ...machine, cgroups: { folders: {}, missing: {} } },
    {
      component: 'trial',
      kind,
      network: 'none',
      uid: null,
      readable: [dirname(process.execPath)],
      writable: [],
      sockets: [],
      hidden: [],
      mountPoint: folder,
      tmpFolder: tmpdir(),
      tmpBytes: MB,
      openFiles: 1024,
      processes: 64,
      memoryBytes: null,
      cpuWeight: 100,
      cgroupName: '',
    },
  );
}
