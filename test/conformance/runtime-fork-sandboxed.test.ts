/** The fork engine, each function in its sandbox: nothing that works without may fail with it. */
import { test } from 'node:test';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import { sandboxedForks } from './fixtures/sandboxed-forks.ts';
import { runtimeConformance } from './runtime.ts';

const machine = await probeMachine();

if (machine.platform !== 'linux' || !machine.ffi || !machine.capabilities.administrate) {
  test('runtime fork, sandboxed', { skip: 'only root can have the sandboxes of this test' });
} else {
  runtimeConformance('fork, sandboxed', sandboxedForks(machine), 'its process');
}
