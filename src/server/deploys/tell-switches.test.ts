import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import type { DeployStep } from '../../control/host-port.ts';
import type { ModeCheck, ModeFinding } from '../../model/mode-check.ts';
import type { AppSpec } from '../../model/app.ts';
import { Steps } from './steps.ts';
import { tellSwitches } from './tell-switches.ts';

const FINDING: ModeFinding = {
  rule: 'shared-variable',
  member: null,
  severity: 'warning',
  file: 'a.ts',
  line: 8,
  column: 5,
  lineText: 'user = 1;',
  message: 'Shared.',
  advice: 'Do not.',
};

function app(...components: [name: string, modeSetting: string][]): AppSpec {
  const specs = components.map(([name, modeSetting]) => [name, { kind: 'module', name, modeSetting }]);
  return { components: new Map(specs as never), groups: new Map() } as unknown as AppSpec;
}

async function told(
  spec: AppSpec,
  switches: Promise<readonly ModeCheck[]>,
  passMs = 0,
): Promise<DeployStep[]> {
  const clock = new FakeClock();
  const seen: DeployStep[] = [];
  const steps = new Steps(clock, (step) => seen.push(step));
  const done = tellSwitches({ spec, switches, steps, clock });
  if (passMs > 0) await clock.advance(passMs);
  await done;
  return seen.filter(({ state }) => state !== 'begun');
}

const check = (component: string, to: 'service' | 'function', count: number): ModeCheck => ({
  component,
  from: to === 'service' ? 'function' : 'service',
  to,
  findings: Array.from({ length: count }, () => FINDING),
});

test('components of mode auto are told of, with what was found and where', async () => {
  const spec = app(['a', 'auto'], ['b', 'service'], ['c', 'auto']);
  const steps = await told(spec, Promise.resolve([check('a', 'service', 2), check('a', 'function', 1)]));
  assert.deepEqual(
    steps.map(({ name, component, state, message, findings }) => [name, component, state, message, findings]),
    [
      [
        'modes',
        'a',
        'done',
        'as a service it would break in 2 places; as a function it would break in one place',
        [FINDING, FINDING, FINDING],
      ],
      ['modes', 'c', 'done', 'can run as a function and as a service', undefined],
    ],
  );
});

test('an app without them has no such step, and a check that takes long holds no deploy up', async () => {
  const never = new Promise<readonly ModeCheck[]>(() => undefined);
  assert.deepEqual(await told(app(['b', 'service']), never), []);
  const [step] = await told(app(['a', 'auto']), never, 10_000);
  assert.match(step!.message, /still being looked at; `fulcrum logs` will tell/);
});
