import type { ComponentSpec, GroupSpec, UnitSpec } from '../model/app.ts';
import type { BacklogStatus, ComponentStatus, GroupStatus } from '../model/status.ts';
import { groupOf, membersOf } from '../model/units.ts';
import { KEPT_DECISIONS } from '../scaling/decisions.ts';
import type { ComponentScaleStatus } from '../scaling/scaled-component.ts';
import type { Engines } from './engines.ts';
import type { LiveRelease } from './live-release.ts';
import type { RunningApp } from './running-app.ts';

export interface AppStatusesOptions {
  readonly app: RunningApp;
  readonly engines: Pick<Engines, 'choice'>;
}

/** What a unit's instances are told as: its own, or all of its members'. */
type Shared = Pick<
  ComponentStatus,
  | 'modeSetting'
  | 'mode'
  | 'revision'
  | 'engine'
  | 'engineReason'
  | 'sandbox'
  | 'instances'
  | 'queued'
  | 'lastError'
  | 'decisions'
>;

/** What a static component has of it. */
const NOTHING: Shared = {
  modeSetting: null,
  mode: null,
  revision: null,
  engine: null,
  engineReason: null,
  sandbox: null,
  instances: [],
  queued: 0,
  lastError: null,
  decisions: [],
};

/**
 * What an app's components and groups do at present, as it is told: by the release that serves, with the instances that others still or already
 * have.
 */
export class AppStatuses {
  readonly #app: RunningApp;
  readonly #engines: Pick<Engines, 'choice'>;

  constructor({ app, engines }: AppStatusesOptions) {
    this.#app = app;
    this.#engines = engines;
  }

  /** In the order of the config. */
  async components(serving: LiveRelease): Promise<readonly ComponentStatus[]> {
    const scaled = await this.#scaled();
    const { components, groups } = serving.spec;
    return await Promise.all(
      [...components.values()].map(async (spec) => {
        const group = groupOf({ groups }, spec.name);
        const shared = this.#shared(serving, group === null ? spec : groups.get(group)!, scaled);
        // Its group's is another one where any of the others' is.
        const revision = group === null ? shared.revision : serving.revision(spec.name).id;
        const { modeSetting, mode, engine, engineReason, sandbox, instances, queued, ...rest } = shared;
        return {
          name: spec.name,
          kind: spec.kind,
          group,
          ...{ modeSetting, mode, revision, engine, engineReason, sandbox },
          routes: spec.routes.map((route) => `${route.host ?? ''}${route.path}`),
          events: spec.kind === 'static' ? [] : (spec.subscription?.types ?? []),
          schedules: this.#app.events.schedules(spec.name),
          backlog: await this.#backlog(spec),
          ...{ instances, queued },
          lastMinute: spec.kind === 'static' ? null : this.#app.meter.lastMinute(spec.name),
          ...{ lastError: rest.lastError, decisions: rest.decisions },
          limits: spec.kind === 'static' ? null : this.#app.limits.of(spec.name).status(),
        };
      }),
    );
  }

  /** In the order of the config. */
  async groups(serving: LiveRelease): Promise<readonly GroupStatus[]> {
    const scaled = await this.#scaled();
    return [...serving.spec.groups.values()].flatMap((spec): GroupStatus[] => {
      const { modeSetting, mode, revision, engine, ...rest } = this.#shared(serving, spec, scaled);
      // A deploy is under way that takes it apart.
      if (modeSetting === null || mode === null || revision === null || engine === null) return [];
      return [
        { name: spec.name, members: membersOf(spec), ...{ modeSetting, mode, revision, engine }, ...rest },
      ];
    });
  }

  async #scaled(): Promise<ReadonlyMap<LiveRelease, readonly ComponentScaleStatus[]>> {
    const { live } = this.#app;
    await Promise.all(live.map(({ scaler }) => scaler.measure()));
    return new Map(live.map((release) => [release, release.scaler.status()]));
  }

  #shared(
    serving: LiveRelease,
    spec: ComponentSpec | GroupSpec,
    scaled: ReadonlyMap<LiveRelease, readonly ComponentScaleStatus[]>,
  ): Shared {
    if (spec.kind === 'static') return NOTHING;
    const own = scaled.get(serving)?.find(({ name }) => name === spec.name);
    if (own === undefined) return NOTHING;
    const all = [own, ...elsewhere(spec, serving, scaled)];
    const choice = own.mode === null ? null : this.#engines.choice(spec, own.mode, own.revision);
    return {
      modeSetting: own.modeSetting,
      mode: own.mode,
      revision: own.revision,
      engine: choice?.engine ?? null,
      engineReason: choice?.reason ?? null,
      sandbox: choice === null ? null : serving.sandbox(spec.name, choice.engine),
      instances: all.flatMap(({ instances }) => instances),
      queued: own.queued,
      lastError: own.lastError,
      decisions: all
        .flatMap(({ decisions }) => decisions)
        .toSorted((a, b) => a.atMs - b.atMs)
        .slice(-KEPT_DECISIONS),
    };
  }

  /** Null, too, where the store does not say: what runs is to be seen all the same. */
  async #backlog(spec: ComponentSpec): Promise<BacklogStatus | null> {
    return spec.kind === 'static' ? null : await this.#app.events.backlog(spec.name).catch(() => null);
  }
}

/** What other releases have of the same components, in whichever grouping. */
function elsewhere(
  spec: UnitSpec,
  serving: LiveRelease,
  scaled: ReadonlyMap<LiveRelease, readonly ComponentScaleStatus[]>,
): readonly ComponentScaleStatus[] {
  return [...scaled].flatMap(([release, statuses]) => {
    if (release === serving) return [];
    const units = new Set(membersOf(spec).map((name) => release.unitOf(name)));
    return statuses.filter(({ name }) => units.has(name));
  });
}
