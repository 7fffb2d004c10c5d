import { resolve } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { NO_LIMITS, type AppSpec, type ComponentSpec, type RunnableSpec } from '../model/app.ts';
import type { EnvSource } from '../model/env-source.ts';
import { DEFAULT_ASYNC, DEFAULT_EVENTS } from '../model/work-settings.ts';
import {
  DEFAULT_ADVISOR,
  DEFAULT_CACHE_CONTROL,
  DEFAULT_ZYGOTE_KEEP_ALIVE_MS,
  functionSettings,
  serviceSettings,
} from './defaults.ts';
import type { ComponentDraft, Draft } from './draft.ts';
import { deepFreeze, frozenMap } from './frozen.ts';
import { groupSpec, memberValues } from './group-spec.ts';
import type { EnvValues, ModuleValues, RunningValues } from './schema.ts';

export interface AppPlace {
  readonly directory: string;
  readonly configPath: string;
  readonly environment: string;
  readonly storageDirectory: string | null;
}

/** Makes the app of a draft without issues: defaults filled in, paths absolute, frozen through and through. */
export function appSpec(draft: Draft, place: AppPlace): AppSpec {
  const groups = groupedValues(draft);
  const grouped = new Map(groups.flatMap(({ members }) => members));
  const components = draft.components.map((component) => {
    const values = grouped.get(component.name);
    const whole = values === undefined || component.kind !== 'module' ? component : { ...component, values };
    return componentSpec(whole, draft, place.directory);
  });
  const modules = new Map(
    components.filter((spec) => spec.kind === 'module').map((spec) => [spec.name, spec]),
  );
  const specs = groups.map(({ name, members }) =>
    groupSpec(
      name,
      members.map(([member]) => needed(modules.get(member))),
      members.map(([, values]) => values),
    ),
  );
  return deepFreeze({
    name: needed(draft.app.name),
    directory: place.directory,
    configPath: place.configPath,
    environment: place.environment,
    storageDirectory: place.storageDirectory,
    components: frozenMap(components.map((component) => [component.name, component])),
    groups: frozenMap(specs.map((group) => [group.name, group])),
    gateway: { trustedProxies: draft.app.trustedProxies ?? [], cors: draft.app.cors ?? null },
    events: draft.app.events ?? DEFAULT_EVENTS,
    advisor: draft.app.advisor ?? DEFAULT_ADVISOR,
  });
}

interface GroupedValues {
  readonly name: string;
  /** By name, in the order of the group; what is said of the process is the same for all. */
  readonly members: readonly (readonly [string, ModuleValues])[];
}

function groupedValues(draft: Draft): GroupedValues[] {
  return Object.entries(draft.app.groups ?? {}).map(([name, members]) => {
    const values = members.map((member) => {
      const found = draft.components.find((component) => component.name === member);
      return needed(found?.kind === 'module' ? found.values : undefined);
    });
    return {
      name,
      members: members.map((member, i) => [member, memberValues(values[i]!, values)] as const),
    };
  });
}

function componentSpec(component: ComponentDraft, draft: Draft, directory: string): ComponentSpec {
  const { name } = component;
  const common = { name, routes: component.values.routes ?? [], cors: component.values.cors ?? null };
  if (component.kind === 'module') {
    const { values } = component;
    return {
      ...common,
      ...running(values, draft.app.env ?? {}, directory),
      subscription: values.events ?? null,
      kind: 'module',
      entry: resolve(directory, needed(values.entry)),
      schedules: values.schedule ?? [],
      zygoteKeepAliveMs: values.zygoteKeepAlive ?? DEFAULT_ZYGOTE_KEEP_ALIVE_MS,
    };
  }
  if (component.kind === 'command') {
    const { values } = component;
    return {
      ...common,
      ...running(values, draft.app.env ?? {}, directory),
      subscription: values.events ?? null,
      kind: 'command',
      command: needed(values.command),
      cwd: resolve(directory, values.cwd ?? '.'),
      healthPath: values.health ?? null,
    };
  }
  return {
    ...common,
    kind: 'static',
    directory: resolve(directory, needed(component.values.static)),
    cacheControl: component.values.cacheControl ?? DEFAULT_CACHE_CONTROL,
  };
}

type RunningSpec = Pick<
  RunnableSpec,
  | 'modeSetting'
  | 'function'
  | 'service'
  | 'env'
  | 'storage'
  | 'isolation'
  | 'network'
  | 'limits'
  | 'weight'
  | 'objective'
  | 'async'
  | 'calls'
>;

function running(values: RunningValues, appEnv: EnvValues, directory: string): RunningSpec {
  const env = Object.entries({ ...appEnv, ...values.env });
  return {
    modeSetting: values.mode ?? 'function',
    function: functionSettings(values),
    service: serviceSettings(values),
    env: Object.fromEntries(env.map(([name, value]) => [name, envSource(value)])),
    storage: (values.storage ?? []).map((folder) => resolve(directory, folder)),
    isolation: values.isolation ?? 'best-effort',
    network: values.network ?? 'full',
    limits: values.limits ?? NO_LIMITS,
    weight: values.weight ?? 1,
    objective: values.objective ?? null,
    async: values.async ?? DEFAULT_ASYNC,
    calls: values.calls ?? null,
  };
}

function envSource(value: EnvValues[string]): EnvSource {
  return typeof value === 'string' ? { kind: 'value', value } : { kind: 'secret', secret: value.$secret };
}

/** A draft without issues has every value that a spec needs. */
function needed<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new FulcrumError('internal', 'A config with issues was taken for a valid one.');
  }
  return value;
}
