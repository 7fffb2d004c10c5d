/** The fork engine for functions of which nothing stays: an instance is no fork of a zygote, but what would be one. */
import { test } from 'node:test';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import { alone, sandboxedForks } from './fixtures/sandboxed-forks.ts';
import { runtimeConformance } from './runtime.ts';

const machine = await probeMachine();

if (machine.platform !== 'linux' || !machine.ffi || !machine.capabilities.administrate) {
  test('runtime fork, alone', { skip: 'only root can have the sandboxes of this test' });
} else {
  runtimeConformance('fork, alone', alone(sandboxedForks(machine)), 'its process');
}
