import { appId } from '../base/app-id.ts';
import { FulcrumError } from '../base/errors.ts';
import type { HostPort } from '../control/host-port.ts';
import type { ControlPort } from '../control/port.ts';
import type { AppRecord } from '../model/app-record.ts';
import type { MachineBudget } from '../scaling/machine-budget.ts';

/** The one app of `dev` as the admin API asks for apps. Nothing of it is kept, and files are the way to change it. */
export function singleAppHost(control: ControlPort, budget: MachineBudget): HostPort {
  const record = (): AppRecord | null => {
    try {
      const { name, environment, startedAtMs } = control.app();
      return {
        id: appId(name, environment),
        name,
        environment,
        hosts: [],
        prefix: '',
        createdAtMs: Math.round(startedAtMs),
        serving: null,
        canary: null,
        modes: {},
        limits: {},
        version: 0,
      };
    } catch (error) {
      if (error instanceof FulcrumError && error.code === 'shutting-down') return null;
      throw error;
    }
  };
  return {
    apps() {
      const app = record();
      return Promise.resolve(app === null ? [] : [app]);
    },
    budget: () => budget.status,
    app: (id) => (record()?.id === id ? control : null),
    ...(control.stop === undefined ? {} : { stop: control.stop.bind(control) }),
  };
}
