import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { FakeClock, startApp, type TestApp } from '../../src/testing/index.ts';
import type { InstanceStatus } from '../../src/model/status.ts';
import { appFolder, config } from './support/app-folder.ts';

const MIN = 60_000;

async function until(
  t: TestContext,
  app: TestApp,
  holds: (instances: readonly InstanceStatus[]) => boolean,
): Promise<InstanceStatus[]> {
  for (;;) {
    const { instances } = (await app.status())[0]!;
    if (holds(instances)) return [...instances];
    await turn(undefined, { signal: t.signal });
  }
}

const none = (instances: readonly InstanceStatus[]): boolean => instances.length === 0;
const ready = (instances: readonly InstanceStatus[]): boolean => instances[0]?.state === 'ready';

test('a function that is used every half hour has no process in between, and is there when it is used', async (t) => {
  const clock = new FakeClock();
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{ report: { entry: './report.ts', keepAlive: 'adaptive' } }`),
    'report.ts': `
      export async function pid() { return process.pid; }
      export default {};`,
  });
  await using app = await startApp({ directory: folder.path, clock });
  for (let i = 0; i < 5; i++) {
    await app.call('report', 'pid');
    await clock.advance(1_000);
    await until(t, app, none);
    await clock.advance(30 * MIN);
  }
  await app.call('report', 'pid');
  await until(t, app, none);
  // To the moment and not beyond: a process starts in time that this clock does not measure.
  await clock.advance(27 * MIN);
  const [warmed] = await until(t, app, ready);
  assert.equal(warmed!.reason, 'pre-warmed: next use expected 27 to 34.1 min after the last');
  assert.equal(warmed!.served, 0);
  await app.call('report', 'pid');
  await until(t, app, none);
  const story = app.logs('report').map(({ text }) => text);
  assert.ok(story.includes(`instance ${warmed!.id} ended: no use expected for 24.3 min`), story.join('\n'));
  await clock.advance(24.3 * MIN);
  await until(t, app, ready);
  await clock.advance(9.8 * MIN);
  await until(t, app, none);
  assert.match(app.logs('report').at(-1)!.text, /ended: adaptive keep-alive of 34.1 min passed$/);
});
