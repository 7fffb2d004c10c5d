import { FulcrumError } from '../../base/errors.ts';
import { formatDuration } from '../../base/duration.ts';
import { nearest } from '../../base/suggest.ts';
import type { ModeChange } from '../../control/port.ts';
import type { ModeCheck, ModeFinding } from '../../model/mode-check.ts';
import type { ModeStep } from '../../model/mode-history.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findingLines } from '../finding-lines.ts';
import { modeLines } from '../mode-lines.ts';
import { print, printJson } from '../stdout.ts';
import { paint, terminalWidth } from '../terminal.ts';

export interface ModeOptions extends Target {
  readonly json?: boolean;
  /** Switches though the code would break in the new mode. */
  readonly force?: boolean;
  /** Only says what would break. */
  readonly check?: boolean;
  /** Says what was decided, and switches nothing. */
  readonly history?: boolean;
  /** With `history`: so many. */
  readonly lines: number;
}

const MODES = ['function', 'service', 'auto'];

/** With `check`: failed where a switch would be refused. */
export async function mode(
  component: string | undefined,
  wanted: string | undefined,
  options: ModeOptions,
): Promise<ExitCode> {
  if (options.history) return await history(component, wanted, options);
  if (component === undefined || wanted === undefined) {
    throw new FulcrumError(
      'usage',
      component === undefined
        ? 'Which component, and to which mode? Such as `fulcrum mode catalog service`; with --history, what was decided.'
        : `To which mode? Such as \`fulcrum mode ${component} service\`; there are: ${MODES.join(', ')}.`,
    );
  }
  if (!MODES.includes(wanted)) {
    const likely = nearest(wanted, MODES);
    throw new FulcrumError(
      'usage',
      `'${wanted}' is no mode.${likely === null ? '' : ` Did you mean '${likely}'?`} There are: ${MODES.join(', ')}.`,
    );
  }
  const { client, at } = await connectToApp(options);
  const path = at(`/components/${encodeURIComponent(component)}/mode`);
  if (options.check) {
    const checked = await client.get<ModeCheck>(`${path}-check?mode=${wanted}`);
    if (options.json) printJson(checked);
    else for (const line of checkLines(checked)) print(line);
    return checked.findings.some(isWarning) ? EXIT.failed : EXIT.ok;
  }
  const order = { mode: wanted, ...(options.force ? { force: true } : {}) };
  const change = await client.post<ModeChange>(path, order).catch((error: unknown) => {
    // Whoever reads the answer as data is told the reasons as data, too.
    if (options.json && error instanceof FulcrumError && error.code === 'switch-unsafe')
      printJson(error.details);
    throw error;
  });
  if (options.json) printJson(change);
  else print(modeLine(change, wanted));
  return EXIT.ok;
}

async function history(
  component: string | undefined,
  wanted: string | undefined,
  options: ModeOptions,
): Promise<ExitCode> {
  if (wanted !== undefined || options.check || options.force) {
    const what = wanted === undefined ? (options.check ? '--check' : '--force') : `'${wanted}'`;
    throw new FulcrumError('usage', `--history switches nothing: leave ${what} out.`);
  }
  const { client, at } = await connectToApp(options);
  const of = component === undefined ? '' : `&component=${encodeURIComponent(component)}`;
  const steps = await client.get<ModeStep[]>(at(`/mode-history?limit=${options.lines}${of}`));
  if (options.json) printJson(steps);
  else if (steps.length === 0)
    print(`Nothing was decided yet${component === undefined ? '' : ` of ${component}`}.`);
  else for (const line of modeLines(steps, terminalWidth())) print(line);
  return EXIT.ok;
}

function checkLines({ component, from, to, findings }: ModeCheck): string[] {
  const name = paint('bold', component);
  if (from === to) return [`${name} is a ${to}`];
  if (findings.length === 0) return [`${name}: ${from} → ${to}: nothing found that would break`];
  const warnings = findings.filter(isWarning).length;
  const notes = findings.length - warnings;
  return [
    `${name}: ${from} → ${to}: ${count(warnings, 'warning')}, ${count(notes, 'note')}`,
    ...findingLines(findings),
  ];
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function isWarning({ severity }: ModeFinding): boolean {
  return severity === 'warning';
}

function modeLine(change: ModeChange, wanted: string): string {
  const auto = wanted === 'auto' ? ' (auto)' : '';
  const name = paint('bold', change.component);
  if (change.from === change.to) return `${name} is a ${change.to}${auto}`;
  return `${name}: ${change.from} → ${change.to}${auto} in ${formatDuration(change.tookMs)}`;
}
