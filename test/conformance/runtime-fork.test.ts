import { ForkRuntime } from '../../src/runtime/fork/fork-runtime.ts';
import { createSpawnRuntime } from '../../src/runtime/spawn/spawn-runtime.ts';
import { runtimeConformance } from './runtime.ts';

runtimeConformance('fork', async (parts) => {
  const fallback = await createSpawnRuntime(parts);
  return new ForkRuntime({ ...parts, fallback, waitsForRoots: () => true });
});
