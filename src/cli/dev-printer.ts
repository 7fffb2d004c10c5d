import { outputLines } from './error-output.ts';
import { formatDuration } from '../base/duration.ts';
import type { ComponentLine, DevEvent } from '../server/dev-events.ts';
import { formatEntry } from './log-line.ts';
import { print } from './stdout.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printable, printableLine, terminalWidth, truncate } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'COMPONENT', minWidth: 12 },
  { title: 'MODE' },
  { title: 'ROUTES', minWidth: 14 },
];
const INDENT = '  ';

/** Shows a person what a development server does. */
export class DevPrinter {
  readonly #version: string;
  #nameWidth = 10;

  constructor(version: string) {
    this.#version = version;
  }

  show(event: DevEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#nameWidth = Math.max(...event.components.map(({ name }) => name.length), 1);
        for (const line of bannerLines(event, this.#version, terminalWidth())) print(line);
        break;
      case 'reloaded':
        print(paint('green', reloadedLine(event.components, event.tookMs)));
        break;
      case 'reload-failed':
        print(`${paint('red', `✖ not live: ${event.error.code}:`)} ${printable(event.error.message)}`);
        for (const line of outputLines(event.error)) print(line);
        print(paint('dim', `${INDENT}The last good version goes on serving.`));
        break;
      case 'log':
        print(formatEntry(event.entry, { nameWidth: this.#nameWidth, time: false }));
        break;
    }
  }
}

/** What is shown once the app runs. Links are never cut, everything else fits `width`. */
export function bannerLines(event: DevEvent & { kind: 'ready' }, version: string, width: number): string[] {
  const { components, notes } = event;
  const table = formatTable(COLUMNS, components.map(rowOf), width - INDENT.length, (cell, row, column) => {
    if (row === -1) return paint('dim', cell);
    return column === 1 ? paint(components[row]!.mode === 'service' ? 'blue' : 'green', cell) : cell;
  });
  const first = components.find((component) => component.mode === 'function');
  return [
    '',
    `${INDENT}${paint('bold', `Fulcrum ${version}`)}  ${paint('dim', `ready in ${formatDuration(event.tookMs)}`)}`,
    '',
    `${INDENT}App   ${paint('cyan', event.gatewayUrl)}`,
    `${INDENT}Admin ${paint('cyan', event.adminLink)}`,
    '',
    ...table.map((line) => INDENT + line),
    '',
    ...notes.map((note) => `${INDENT}${paint('yellow', printableLine(note))}`),
    ...(first === undefined
      ? []
      : [paint('dim', truncate(`${INDENT}Switch while it runs: fulcrum mode ${first.name} service`, width))]),
    paint('dim', `${INDENT}Ctrl-C ends it.`),
    '',
  ];
}

function rowOf({ name, kind, group, mode, routes }: ComponentLine): string[] {
  if (kind === 'group') return [name, mode!, ''];
  const shown = printableLine(routes.join(' ')) || '-';
  return group === null ? [name, mode ?? 'static', shown] : [`  ${name}`, '', shown];
}

function reloadedLine(components: readonly string[], tookMs: number): string {
  const took = `in ${Math.round(tookMs)} ms`;
  return components.length === 0
    ? `saved: what runs is the same (${Math.round(tookMs)} ms)`
    : `reloaded ${components.join(', ')} ${took}`;
}
