import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { moduleRevision } from '../build/revision.ts';
import { TestApp } from '../build/testing/test-app.ts';
import type { ModeSetting } from '../model/app.ts';
import type { LogEntry } from '../model/log.ts';
import type { GroupRevision, ModuleRevision } from '../model/revision.ts';
import { refuseUnsafe, SwitchChecks } from './switch-checks.ts';

/** In a service, two requests at a time would take each other's user. */
const LEAK =
  'let user: string | null = null;\nexport async function login(name: string) {\n  user = name;\n  await Promise.resolve();\n  return user;\n}\nexport async function on(name: string) { return login(name); }\n';

function checks(t: TestContext): SwitchChecks {
  const made = new SwitchChecks({ clock: new FakeClock(), logger: silentLogger });
  t.after(() => made.close());
  return made;
}

async function group(t: TestContext, modeSetting: ModeSetting): Promise<GroupRevision> {
  const app = new TestApp(t);
  app.write({ 'lib/session.ts': LEAK, 'checkout.ts': `export * from './lib/session.ts';` });
  app.write({ 'inventory.ts': `export * from './lib/session.ts';`, 'pricing.ts': 'export const one = 1;' });
  const members: ModuleRevision[] = [];
  for (const name of ['pricing', 'inventory', 'checkout']) {
    const spec = { ...app.spec(`${name}.ts`), name, modeSetting };
    const service = { ...spec.service, concurrency: 100 };
    members.push(moduleRevision({ ...spec, service }, {}, await app.bundle(`${name}.ts`)));
  }
  const { id: _, ...first } = members[0]!;
  const spec = { ...first.spec, kind: 'group', name: 'core', members: members.map((one) => one.spec) };
  return { ...first, kind: 'group', id: 'of-all', spec, members } as unknown as GroupRevision;
}

void suite('switch checks of a group', () => {
  void test('look at the code of all its members, and say whose it is', async (t) => {
    const found = await checks(t).check(await group(t, 'function'), 'function', 'service');
    assert.equal(found.component, 'core');
    const places = found.findings.map(({ member, rule, file }) => [member, rule, file]);
    const place = ['shared-variable', join('lib', 'session.ts')];
    // As they stand in the file, which is the same; behind that as the members do.
    assert.deepEqual(places, [
      ['inventory', ...place],
      ['checkout', ...place],
    ]);
    assert.throws(() => refuseUnsafe(found), {
      code: 'switch-unsafe',
      message:
        /^As a service, 'core' would break in 2 places, the first at lib\/session\.ts:\d+ \(inventory\): /,
    });
  });

  void test('are told once where its mode is auto, in the log of the member whose code it is', async (t) => {
    const [made, core] = [checks(t), await group(t, 'auto')];
    const lines: LogEntry[] = [];
    const log = { write: (entry: LogEntry) => void lines.push(entry) };
    const told = await made.tell([core], log);
    assert.deepEqual(
      told.map(({ component, to, findings }) => [component, to, findings.length]),
      [
        ['core', 'service', 2],
        ['core', 'function', 0],
      ],
    );
    assert.deepEqual(lines.map(({ component }) => component).sort(), ['checkout', 'inventory']);
    assert.match(lines[0]!.text, /^As a service \(its mode is auto\) this would break: lib\/session\.ts:/);
    await made.tell([core], log);
    assert.equal(lines.length, 2);
  });
});
