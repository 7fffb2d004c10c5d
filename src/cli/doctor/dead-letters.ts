import type { ServerEntry } from '../../control/registry.ts';
import { listServers } from '../../control/registry.ts';
import type { ComponentStatus } from '../../model/status.ts';
import { ControlClient } from '../client.ts';
import type { AppInList } from '../connect.ts';
import { countText } from '../work-lines.ts';
import { ok, warning, type Finding } from './finding.ts';

const LIMIT_MS = 5_000;

interface AppWork {
  readonly app: string;
  readonly components: readonly Pick<ComponentStatus, 'name' | 'backlog' | 'schedules'>[];
}

/** What the servers of this user have given up, or failed to do on time. Nothing where none runs; never rejects. */
export async function checkDeadLetters(): Promise<Finding[]> {
  const servers = await listServers();
  const asked = await Promise.all(servers.map((server) => within(workOf(server))));
  const apps = asked.flatMap((each) => each ?? []);
  return apps.length === 0 ? [] : judgeDeadLetters(apps);
}

export function judgeDeadLetters(apps: readonly AppWork[]): Finding[] {
  const dead = apps.flatMap(({ app, components }) =>
    components.flatMap(({ name, backlog }) =>
      backlog === null || backlog.dead === 0 ? [] : [`${countText(backlog.dead)} for ${name} of ${app}`],
    ),
  );
  const failed = apps.flatMap(({ app, components }) =>
    components.flatMap(({ name, schedules }) =>
      schedules.some(({ lastState }) => lastState === 'failed') ? [`${name} of ${app}`] : [],
    ),
  );
  return [
    dead.length === 0
      ? ok('dead letters', 'none')
      : warning(
          'dead letters',
          dead.join(', '),
          '`fulcrum events ls --state dead` lists them, `fulcrum events show ID` says why.',
        ),
    ...(failed.length === 0
      ? []
      : [warning('schedules', `the last tick failed: ${failed.join(', ')}`, '`fulcrum ps` says why.')]),
  ];
}

async function workOf({ socketPath, kind }: ServerEntry): Promise<AppWork[]> {
  const client = new ControlClient({ kind: 'socket', socketPath, server: kind });
  const apps = (await client.get<AppInList[]>('/apps')).filter(({ running }) => running);
  return Promise.all(
    apps.map(async ({ id }) => ({
      app: id,
      components: await client.get<ComponentStatus[]>(`/apps/${encodeURIComponent(id)}/components`),
    })),
  );
}

/** A server that does not answer is not what is looked for here. */
async function within<T>(asked: Promise<T>): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), LIMIT_MS);
  try {
    return await Promise.race([asked, late.promise]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
