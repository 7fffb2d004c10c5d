import { createSpawnRuntime } from '../../src/runtime/spawn/spawn-runtime.ts';
import { runtimeConformance } from './runtime.ts';

runtimeConformance('spawn', createSpawnRuntime);
