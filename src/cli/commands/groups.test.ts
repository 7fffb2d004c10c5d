import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { component, group, type FakePort } from '../../control/fixtures/fake-port.ts';
import type { ComponentStatus, GroupStatus, InstanceStatus } from '../../model/status.ts';
import { World, type Ran } from '../fixtures/run-cli.ts';

const INSTANCE: InstanceStatus = {
  ...{ id: 'i_shared', pid: 4711, mode: 'service', revision: 'fedcba987654', state: 'ready' },
  ...{
    inFlight: 1,
    served: 12,
    ageMs: 1_500,
    memoryBytes: 61 * 1024 ** 2,
    cpuMs: 40,
    reason: 'replica 1 of 2',
  },
  ...{ endReason: null, inspectUrl: null, ejectedForMs: null },
};
const SHARED = {
  mode: 'service',
  modeSetting: 'auto',
  queued: 3,
  lastError: 'TypeError: it is broken',
  instances: [INSTANCE, { ...INSTANCE, id: 'i_second', state: 'starting', memoryBytes: null }],
  engineReason: 'services run as plain Node processes',
} as const;

function member(name: string, part: Partial<ComponentStatus> = {}): ComponentStatus {
  return component({ ...SHARED, name, group: 'core', routes: [`/api/${name}/*`], ...part });
}

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function assertFits(ran: Ran, width = 80): void {
  for (const line of linesOf(ran.stdout)) assert.ok(Array.from(line).length <= width, `too wide: ${line}`);
}

suite('groups at the command line', () => {
  let world: World;
  let port: FakePort;

  before(async () => {
    world = await World.make();
    ({ port } = await world.serve('shop'));
  });
  after(() => world.end());
  beforeEach(() => {
    port.asked.length = 0;
    port.list = [
      component({ name: 'storefront', mode: 'service', modeSetting: 'service', routes: ['/*'] }),
      member('checkout', {
        lastMinute: {
          ...{ count: 1_204, failed: 3, cold: 17, p50Ms: 2.13, p99Ms: 148.2, billedMs: 9_000, cpuMs: 3_000 },
        },
      }),
      component({
        name: 'assets',
        kind: 'static',
        mode: null,
        modeSetting: null,
        engine: null,
        lastMinute: null,
      }),
      member('inventory', { routes: [] }),
    ];
    port.groupList = [group(SHARED)];
  });

  test('ps shows a group as one block, in 80 columns and in more', async () => {
    const ran = await world.run(['ps']);
    assert.equal(ran.code, 0, ran.stderr);
    assertFits(ran);
    const lines = linesOf(ran.stdout);
    assert.match(lines[3]!, /^storefront +service +spawn +0 +0 +0 /);
    assert.match(lines[4]!, /^core +service\* +spawn +1\+1 *$/);
    assert.match(lines[5]!, /^ {2}checkout +1,204 +3 +17 +2\.1ms +148ms *$/);
    assert.match(lines[6]!, /^ {2}inventory +0 +0 +0 +- +- *$/);
    assert.match(lines[7]!, /^assets +static +- +- /);
    // What they share is told once, of the group.
    assert.match(ran.stdout, /^core: 3 waiting for an instance$/m);
    assert.match(ran.stdout, /^core: TypeError: it is broken$/m);
    assert.match(ran.stdout, /^core: spawn, not fork: services run as plain Node processes$/m);
    assert.doesNotMatch(ran.stdout, /^(checkout|inventory): /m);
    const wide = await world.run(['ps'], { env: { COLUMNS: '120' } });
    assertFits(wide, 120);
    assert.match(wide.stdout, /^core +service\* +spawn +1\+1 +61 MB *$/m);
    assert.match(wide.stdout, /^ {2}checkout +1,204 +3 +17 +2\.1ms +148ms +\/api\/checkout\/\*$/m);
    assert.match(wide.stdout, /^ {2}inventory +0 +0 +0 +- +- +-$/m);
  });

  test('ps --json lists the groups beside the components', async () => {
    const document = JSON.parse((await world.run(['ps', '--json'])).stdout) as {
      components: ComponentStatus[];
      groups: GroupStatus[];
    };
    assert.deepEqual(document.groups, port.groupList);
    assert.deepEqual(
      document.components.map((one) => one.group),
      [null, 'core', null, 'core'],
    );
  });

  test('ps GROUP and ps MEMBER show the instances that are shared', async () => {
    const whole = await world.run(['ps', 'core']);
    assertFits(whole);
    const lines = linesOf(whole.stdout);
    assert.equal(lines[0], 'core · group · service (auto) · spawn · revision fedcba987654 · 3 waiting');
    assert.ok(lines.includes('Its members share these: checkout, inventory'), whole.stdout);
    assert.match(whole.stdout, /^i_shared +4711 +ready /m);
    const one = await world.run(['ps', 'checkout']);
    assertFits(one);
    assert.match(one.stdout, /^checkout · in group core · service \(auto\) · spawn · revision 0123456789ab/);
    assert.match(one.stdout, /^i_shared +4711 +ready /m);
    const json = JSON.parse((await world.run(['ps', 'core', '--json'])).stdout) as { group: GroupStatus };
    assert.deepEqual(json.group, port.groupList[0]);
    assert.match(
      (await world.run(['ps', 'cor'])).stderr,
      /There is no component 'cor'\. Did you mean 'core'\?/,
    );
  });

  test('mode switches a group, and says whose code would break', async () => {
    const switched = await world.run(['mode', 'core', 'function']);
    assert.equal(switched.stdout, 'core: service → function in 83ms\n');
    assert.deepEqual(port.asked, [{ setMode: 'core', mode: 'function' }]);
    const refused = await world.run(['mode', 'checkout', 'service']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^error bad-request: checkout is in the group 'core'/);
    assert.match((await world.run(['mode', 'cor', 'service'])).stderr, /Did you mean 'core'\?/);
    port.findings = [
      {
        ...{ rule: 'shared-variable', member: 'inventory', severity: 'warning', file: 'lib/stock.ts' },
        ...{ line: 5, column: 3, lineText: 'left -= 1;', message: "'left' is written.", advice: 'Do not.' },
      },
    ];
    const checked = await world.run(['mode', 'core', 'service', '--check']);
    port.findings = [];
    assert.equal(checked.code, 1);
    assert.match(checked.stdout, /^warning lib\/stock\.ts:5:3 shared-variable in inventory$/m);
  });

  test('logs are of a group’s processes, or of a member', async () => {
    const line = {
      stream: 'platform',
      level: 'info',
      instance: 'i_shared',
      revision: null,
      requestId: null,
    } as const;
    port.logs.write({
      ...line,
      app: 'shop@development',
      atMs: 1,
      component: 'core',
      text: 'starts',
      fields: null,
    });
    port.logs.write({
      ...line,
      app: 'shop@development',
      atMs: 2,
      component: 'checkout',
      text: 'paid',
      fields: null,
    });
    assert.match((await world.run(['logs', 'core'])).stdout, /^\S+ core .*starts\n$/);
    assert.match((await world.run(['logs', 'checkout'])).stdout, /^\S+ checkout .*paid\n$/);
    assert.match((await world.run(['logs', 'cors'])).stderr, /Did you mean 'core'\?/);
  });

  test('what is asked of a component is not asked of a group', async () => {
    const invoked = await world.run(['invoke', 'core', 'f']);
    assert.equal(invoked.code, 1);
    assert.match(invoked.stderr, /'core' is a group and no component\. Its members: checkout, inventory\./);
  });
});
