import { LAYERS, essentialMissing, type Layer } from './layers.ts';
import type { Machine } from './machine.ts';
import { planSandbox, type Route, type SandboxPlan, type SandboxRequest } from './plan.ts';
import { componentUids } from './uid.ts';

/** What `doctor` says of one kind of component. */
export interface SandboxReport {
  readonly kind: SandboxRequest['kind'];
  /** Whether a component with `isolation: 'required'` would start. */
  readonly complete: boolean;
  /** A line: how, and with what. */
  readonly found: string;
  /** A line for each layer that is missing: what it keeps away, and why it is not there. */
  readonly missing: readonly string[];
  readonly layers: readonly Layer[];
}

const ROUTES: Readonly<Record<Route, string>> = {
  root: 'as root',
  'user-namespace': 'as an ordinary user, by a user namespace',
  plain: 'without namespaces',
};

/** What the machine can give functions (of the fork engine) and programs (services, commands, the spawn engine). */
export function reportSandbox(machine: Machine): SandboxReport[] {
  return (['function', 'program'] as const).map((kind) =>
    reportOf(kind, planSandbox(machine, request(machine, kind))),
  );
}

function reportOf(kind: SandboxRequest['kind'], plan: SandboxPlan): SandboxReport {
  const { layers } = plan;
  const on = layers.filter(({ state }) => state === 'on').map(({ name }) => name);
  const missing = layers.flatMap((layer) =>
    layer.state === 'missing' ? [`${layer.name}, ${LAYERS[layer.name]}: ${layer.reason}`] : [],
  );
  const found =
    on.length === 0
      ? 'none'
      : missing.length === 0
        ? `${ROUTES[plan.route]}, nothing missing`
        : `${ROUTES[plan.route]}: ${on.join(', ')}`;
  return { kind, complete: essentialMissing(layers).length === 0, found, missing, layers };
}

/** Of a component that asks for everything. */
function request(machine: Machine, kind: SandboxRequest['kind']): SandboxRequest {
  return {
    component: 'component',
    kind,
    network: 'none',
    uid: componentUids(machine.uidRanges)?.first ?? null,
    readable: [],
    writable: [],
    sockets: [],
    hidden: [],
    mountPoint: '/',
    tmpFolder: '/',
    tmpBytes: 1,
    openFiles: 1,
    processes: 1,
    memoryBytes: 1,
    cpuWeight: 1,
    cgroupName: 'component',
  };
}
