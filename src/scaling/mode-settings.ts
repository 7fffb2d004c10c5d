import type { FunctionSettings, Mode, ModeSetting, UnitSpec, ServiceSettings } from '../model/app.ts';

/** One mode with its settings. */
export type ModeSettings =
  | { readonly mode: 'function'; readonly settings: FunctionSettings }
  | { readonly mode: 'service'; readonly settings: ServiceSettings };

/** How long a person may stand at a breakpoint. */
const INSPECTED_MS = 3_600_000;

/** The mode that a setting asks for; `auto` runs as a function until the advisor decides otherwise. */
export function modeFor(setting: ModeSetting): Mode {
  return setting === 'service' ? 'service' : 'function';
}

/** What a choice comes to: where it is `auto`, what that means at present. */
export function modeOf({ chosen, mode }: { readonly chosen: ModeSetting; readonly mode?: Mode }): Mode {
  return chosen === 'auto' ? (mode ?? modeFor(chosen)) : chosen;
}

/**
 * The settings that hold for `spec` in `mode`. An inspected component has one instance, which a debugger can stay with: it
 * outlives its work, and neither a timeout nor a missed health check ends it at a breakpoint.
 */
export function modeSettings(spec: UnitSpec, mode: Mode, inspected: boolean): ModeSettings {
  if (mode === 'function') {
    if (!inspected) return { mode, settings: spec.function };
    return {
      mode,
      settings: {
        ...spec.function,
        maxInstances: 1,
        fresh: false,
        keepAliveMs: INSPECTED_MS,
        timeoutMs: INSPECTED_MS,
      },
    };
  }
  if (!inspected) return { mode, settings: spec.service };
  return {
    mode,
    settings: {
      ...spec.service,
      minReplicas: 1,
      maxReplicas: 1,
      healthIntervalMs: INSPECTED_MS,
      timeoutMs: INSPECTED_MS,
    },
  };
}
