import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranOutOfThreads } from './out-of-threads.ts';

test('a process that was refused a thread is told by its last words, and only where it failed', () => {
  // Node 26 in a control group with `pids.max` 1 and 6.
  for (const said of [
    '  #  node[27069]: std::unique_ptr<uv_thread_t> node::WorkerThreadsTaskRunner::DelayedTaskScheduler::Start()\n  #  Assertion failed: (0) == (uv_thread_create(t.get(), start_thread, this))',
    'node[27361]: pthread_create: Resource temporarily unavailable',
  ]) {
    assert.equal(ranOutOfThreads({ exitCode: null, signal: 'SIGABRT' }, said), true);
    assert.equal(ranOutOfThreads({ exitCode: 0, signal: null }, said), false);
  }
  assert.equal(ranOutOfThreads({ exitCode: 1, signal: null }, 'Error: EMFILE: too many open files'), false);
});
