import type { GroupSpec, ModuleSpec } from '../model/app.ts';
import { DEFAULT_ZYGOTE_KEEP_ALIVE_MS, functionSettings, serviceSettings } from './defaults.ts';
import type { ModuleValues } from './schema.ts';

/**
 * What of a component is said of its process, and so of that of a group: members say the same of it, or nothing. `network` and
 * `isolation` are looked at by themselves, for saying nothing of them is saying something.
 */
export const OF_THE_PROCESS = [
  'mode',
  'concurrency',
  'queue',
  'keepAlive',
  'zygoteKeepAlive',
  'max',
  'fresh',
  'replicas',
  'affinity',
  'weight',
  'objective',
  'drain',
  'healthInterval',
] as const satisfies readonly (keyof ModuleValues)[];

/** What holds for each member of a group, the others' word taken where it says nothing; what is its own stays. */
export function memberValues(member: ModuleValues, members: readonly ModuleValues[]): ModuleValues {
  const shared = Object.fromEntries(
    OF_THE_PROCESS.flatMap((key) => {
      const said = members.find((values) => values[key] !== undefined)?.[key];
      return said === undefined ? [] : [[key, said]];
    }),
  );
  const isolation = members.some((values) => values.isolation === 'required') ? 'required' : 'best-effort';
  return { ...member, ...shared, isolation };
}

/** @param values of the members, as {@link memberValues} gives them, in the same order. */
export function groupSpec(
  name: string,
  members: readonly ModuleSpec[],
  values: readonly ModuleValues[],
): GroupSpec {
  const [first] = members as [ModuleSpec];
  const process = { ...values[0]! };
  delete process.memory;
  const timeout = Math.max(...members.map(({ service }) => service.timeoutMs));
  const sum = (of: (member: ModuleSpec) => number): number => members.reduce((all, one) => all + of(one), 0);
  return {
    kind: 'group',
    name,
    members,
    modeSetting: first.modeSetting,
    function: {
      ...functionSettings({ ...process, timeout }),
      memoryBytes: sum((member) => member.function.memoryBytes),
    },
    service: {
      ...serviceSettings({ ...process, timeout }),
      memoryBytes: sum((member) => member.service.memoryBytes),
    },
    env: Object.assign({}, ...members.map(({ env }) => env)) as GroupSpec['env'],
    storage: [...new Set(members.flatMap(({ storage }) => storage))],
    isolation: first.isolation,
    network: first.network,
    weight: first.weight,
    objective: first.objective,
    zygoteKeepAliveMs: first.zygoteKeepAliveMs ?? DEFAULT_ZYGOTE_KEEP_ALIVE_MS,
  };
}
