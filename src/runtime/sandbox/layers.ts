/**
 * The layers of a sandbox, outermost first. Each stands alone: where one is missing or has a hole, the next is met. The
 * text says what the layer keeps away, so that what is missing can be told in the same words.
 */
export const LAYERS = {
  user: 'a user id of its own, without capabilities',
  files:
    'a file tree of its own: its bundle, the runtime and system libraries, read-only, and a bounded private /tmp',
  processes: 'a process tree of its own, in which no other process exists',
  ipc: 'queues, semaphores and shared memory of its own',
  network: 'a network of its own, in which nothing else is reached',
  hostname: 'a host name of its own',
  landlock: 'files and folders by list (Landlock)',
  scopes: 'signals and abstract sockets between it and others refused (Landlock)',
  calls: 'dangerous system calls refused (seccomp)',
  privileges:
    'no way to gain privileges, no core dumps, the end with its parent, and no traces but of commands',
  limits: 'open files and processes bounded',
  memory: 'memory bounded for the component as a whole (control group)',
  pids: 'processes and threads bounded for the component as a whole (control group)',
  cpu: 'a fair share of the CPUs for the component as a whole (control group)',
} as const;

export type LayerName = keyof typeof LAYERS;

/**
 *   on        it is applied
 *   missing   the machine cannot give it, for `reason`
 *   unasked   the component's settings, or the kind of program, leave it out, for `reason`
 */
export type Layer =
  | { readonly name: LayerName; readonly state: 'on' }
  | { readonly name: LayerName; readonly state: 'missing' | 'unasked'; readonly reason: string };

/** What `isolation: 'required'` does not insist on: fairness and tidiness, which keep nobody out. */
const DISPENSABLE: ReadonlySet<LayerName> = new Set(['hostname', 'cpu']);

/** The missing layers for which `isolation: 'required'` refuses a component. */
export function essentialMissing(layers: readonly Layer[]): { name: LayerName; reason: string }[] {
  return layers.flatMap((layer) =>
    layer.state === 'missing' && !DISPENSABLE.has(layer.name)
      ? [{ name: layer.name, reason: layer.reason }]
      : [],
  );
}

/**
 * Why `isolation: 'required'` refuses `component` on this machine, and what to do; null where it does not.
 * Each missing layer is named with what it would keep away and why it is missing.
 */
export function isolationRefusal(component: string, layers: readonly Layer[]): string | null {
  const missing = essentialMissing(layers);
  if (missing.length === 0) return null;
  const lines = missing.map(({ name, reason }) => `- ${name} (${LAYERS[name]}): ${reason}`);
  return (
    `The component "${component}" asks for isolation: 'required', and this machine cannot give it:\n` +
    `${lines.join('\n')}\n` +
    `Mend what is missing, or set isolation: 'best-effort', with which it runs without.`
  );
}
