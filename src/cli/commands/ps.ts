import { formatDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import { nearest } from '../../base/suggest.ts';
import type { AppStatus, ComponentStatus, GroupStatus } from '../../model/status.ts';
import type { AppDetails, ServerFacts } from '../../control/schemas.ts';
import { budgetLine } from '../budget-line.ts';
import { appTable } from '../app-table.ts';
import { componentLines, groupLines } from '../component-lines.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { limitsNotes } from '../limits-notes.ts';
import { print, printJson } from '../stdout.ts';
import { paint, printableLine, terminalWidth, truncate, wrap } from '../terminal.ts';
import { backlogLines, deadNotes, scheduleLines, tickNotes } from '../work-lines.ts';

export interface PsOptions extends Target {
  readonly json?: boolean;
}

/** Of all components; `ps COMPONENT` shows each of its own. */
const MOST_SCHEDULES = 20;

/** All components in a line each, the groups among them, or `name` with its instances and why they came and went. */
export async function ps(name: string | undefined, options: PsOptions): Promise<ExitCode> {
  const { client, app: id, at } = await connectToApp(options);
  const { status: app, app: record, startFailure } = await client.get<AppDetails>(at(''));
  if (app === null) throw notRunning(id, record.serving, startFailure);
  const [components, groups] = await Promise.all([
    client.get<ComponentStatus[]>(at('/components')),
    client.get<GroupStatus[]>(at('/groups')),
  ]);
  const shares = sharesOf(record);
  if (name !== undefined) {
    const group = groups.find((each) => each.name === name);
    const component = group === undefined ? named(name, components, groups) : undefined;
    if (options.json)
      printJson({ app, releases: shares, ...(component === undefined ? { group } : { component }) });
    else {
      const [nowMs, width] = [Date.now(), terminalWidth()];
      const lines =
        component === undefined ? groupLines(group!, width) : componentLines(component, nowMs, width);
      for (const line of lines) print(line);
    }
    return EXIT.ok;
  }
  const { budget } = await client.get<ServerFacts>('/server');
  if (options.json) printJson({ app, releases: shares, components, groups, budget });
  else {
    for (const line of psLines(app, components, Date.now(), terminalWidth(), shares, groups)) print(line);
    if (budget !== null) print(paint('dim', truncate(budgetLine(budget), terminalWidth())));
  }
  return EXIT.ok;
}

function named(
  name: string,
  components: readonly ComponentStatus[],
  groups: readonly GroupStatus[],
): ComponentStatus {
  const found = components.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = [...components, ...groups].map((each) => each.name);
  const near = nearest(name, names);
  throw new FulcrumError(
    'not-found',
    `There is no component '${name}'. ${near === null ? `There are: ${names.join(', ')}.` : `Did you mean '${near}'?`}`,
  );
}

export interface ReleaseShare {
  readonly release: number;
  readonly role: 'serving' | 'canary';
  /** Of the clients. */
  readonly percent: number;
}

/** The releases that clients come to; none in `dev`, which has no releases. */
function sharesOf({ serving, canary }: AppDetails['app']): ReleaseShare[] {
  if (serving === null) return [];
  if (canary === null) return [{ release: serving, role: 'serving', percent: 100 }];
  const percent = canary.steps[canary.step] ?? 100;
  return [
    { release: serving, role: 'serving', percent: Number((100 - percent).toFixed(4)) },
    { release: canary.release, role: 'canary', percent },
  ];
}

function notRunning(id: string, serving: number | null, failure: AppDetails['startFailure']): FulcrumError {
  if (serving === null) {
    return new FulcrumError(
      'not-found',
      `Nothing of '${id}' serves yet. Deploy it first; \`fulcrum logs --app ${id}\` has what a deploy that failed wrote.`,
    );
  }
  const why = failure === null ? '' : ` ${failure.message}`;
  return new FulcrumError(
    'app-starting',
    `Release ${serving} of '${id}' should serve, does not start, and is tried again.${why}`,
  );
}

/** What `ps` shows, no line wider than `width`. */
export function psLines(
  app: AppStatus,
  components: readonly ComponentStatus[],
  nowMs: number,
  width: number,
  shares: readonly ReleaseShare[] = [],
  groups: readonly GroupStatus[] = [],
): string[] {
  const up = formatDuration(Math.max(0, nowMs - app.startedAtMs));
  const head = truncate(
    `${printableLine(app.name)} · ${app.environment} · ${app.gatewayUrl} · up ${up}`,
    width,
  );
  const units: readonly Unit[] = [...groups, ...components.filter((each) => !isMember(each))];
  const notes: Note[] = [
    ...(app.failedDeploy
      ? [{ colour: 'red' as const, text: `The last change did not go live: ${app.failedDeploy.message}` }]
      : []),
    ...groups.flatMap(notesOnUnit),
    ...components.flatMap((each) => notesOn(each, nowMs)),
    ...enginesOf(units),
    ...sandboxesOf(units),
    ...(units.some((each) => each.modeSetting === 'auto')
      ? [{ colour: 'dim' as const, text: '* mode auto: Fulcrum chooses' }]
      : []),
  ];
  return [
    paint('bold', head),
    ...releaseLine(shares).flatMap((text) => wrap(text, width)),
    '',
    ...appTable(components, groups, width),
    ...below(scheduleLines(components, nowMs, width, MOST_SCHEDULES)),
    ...below(backlogLines(components, nowMs, width)),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap(({ colour, text, whole = colour === 'dim' }) =>
      whole
        ? wrap(printableLine(text), width).map((line) => paint(colour, line))
        : [paint(colour, truncate(printableLine(text), width))],
    ),
  ];
}

function below(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function releaseLine(shares: readonly ReleaseShare[]): string[] {
  if (shares.length === 0) return [];
  if (shares.length === 1) return [`release ${shares[0]!.release}`];
  const each = shares.map(({ release, role, percent }) =>
    role === 'canary'
      ? `release ${release}, a canary, ${percent} %`
      : `release ${release} serves ${percent} % of the clients (its components are below)`,
  );
  return [each.join('; ')];
}

/** What has instances: a group, or a component by itself. */
type Unit = Pick<
  ComponentStatus,
  'name' | 'modeSetting' | 'engine' | 'engineReason' | 'sandbox' | 'queued' | 'lastError'
>;

function isMember({ group }: ComponentStatus): boolean {
  return group !== null;
}

/** Why some are not on the fork engine, those of one reason together. */
function enginesOf(components: readonly Unit[]): { colour: 'dim'; text: string }[] {
  const apart = components.filter(({ engineReason }) => engineReason !== null);
  return [...Map.groupBy(apart, ({ engine, engineReason }) => `${engine}, not fork: ${engineReason}`)].map(
    ([why, those]) => ({ colour: 'dim', text: `${namesOf(those)}: ${why}` }),
  );
}

/** What is missing of their sandboxes; why, `doctor` tells. */
function sandboxesOf(components: readonly Unit[]): { colour: 'dim'; text: string }[] {
  const incomplete = components.filter(({ sandbox }) => sandbox?.complete === false);
  const missing = Map.groupBy(incomplete, ({ sandbox }) =>
    sandbox!.layers.flatMap(({ name, state }) => (state === 'missing' ? [name] : [])).join(', '),
  );
  return [...missing].map(([layers, those]) => ({
    colour: 'dim',
    text: `! ${namesOf(those)}: the sandbox lacks ${layers} (fulcrum doctor says why)`,
  }));
}

function namesOf(components: readonly Unit[]): string {
  return components.map(({ name }) => name).join(', ');
}

interface Note {
  readonly colour: 'dim' | 'yellow' | 'red';
  readonly text: string;
  /** On as many lines as it takes. */
  readonly whole?: boolean;
}

function notesOn(component: ComponentStatus, nowMs: number): Note[] {
  const { name } = component;
  const [waiting, failure] = isMember(component) ? [[], []] : partsOfUnit(component);
  return [
    ...limitsNotes(component).map((text) => ({ colour: 'yellow' as const, text: `${name}: ${text}` })),
    ...waiting,
    ...deadNotes(component).map((text) => ({
      colour: 'red' as const,
      text: `${name}: ${text}`,
      whole: true,
    })),
    ...tickNotes(component, nowMs).map((text) => ({ colour: 'red' as const, text: `${name}: ${text}` })),
    ...failure,
  ];
}

function notesOnUnit(unit: Unit): Note[] {
  return partsOfUnit(unit).flat();
}

/** Who waits for its instances, and what went wrong with them last. */
function partsOfUnit({ name, queued, lastError }: Unit): readonly [Note[], Note[]] {
  const waiting = `${name}: ${queued.toLocaleString('en-GB')} waiting for an instance`;
  return [
    queued > 0 ? [{ colour: 'yellow', text: waiting }] : [],
    lastError === null ? [] : [{ colour: 'red', text: `${name}: ${lastError}` }],
  ];
}
