import type { UnitSpec } from '../model/app.ts';

const MB = 1024 * 1024;

/** What a component as a whole may take of the machine: the backstop behind the bounds of each instance. */
export interface SandboxBounds {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly tmpBytes: number;
  readonly cpuWeight: number;
}

/** Beside its instances: a zygote, and files that the kernel keeps in memory for it. */
const BESIDE_INSTANCES_BYTES = 256 * MB;
/** No component may take all of a machine that the server and others need as well. */
const SHARE_OF_MACHINE = 0.8;
const LEAST_PROCESSES = 256;
const MOST_PROCESSES = 8_192;
/** Node has eleven threads, and a program starts others. */
const PROCESSES_PER_INSTANCE = 32;
const OPEN_FILES = 65_536;
const MOST_TMP_BYTES = 512 * MB;

/** @param machineBytes the memory of the machine, or of the container. */
export function sandboxBounds(spec: UnitSpec, machineBytes: number): SandboxBounds {
  const { function: asFunction, service } = spec;
  // While one revision makes room for another there are twice as many.
  const instances = Math.max(asFunction.maxInstances, 2 * service.maxReplicas);
  const held = Math.max(
    asFunction.maxInstances * asFunction.memoryBytes,
    2 * service.maxReplicas * service.memoryBytes,
  );
  return {
    memoryBytes: Math.floor(Math.min(held + BESIDE_INSTANCES_BYTES, machineBytes * SHARE_OF_MACHINE)),
    processes: Math.min(MOST_PROCESSES, LEAST_PROCESSES + PROCESSES_PER_INSTANCE * instances),
    openFiles: OPEN_FILES,
    tmpBytes: Math.floor(Math.min(MOST_TMP_BYTES, machineBytes / 4)),
    cpuWeight: 100 * spec.weight,
  };
}
