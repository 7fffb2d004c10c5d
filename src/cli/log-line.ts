import { formatDuration } from '../base/duration.ts';
import type { LogEntry } from '../model/log.ts';
import { paint, printable } from './terminal.ts';

const COLOURS = [
  'cyan',
  'magenta',
  'blue',
  'green',
  'yellow',
  'cyanBright',
  'magentaBright',
  'blueBright',
] as const;
const MAX_NAME = 16;

export interface LineOptions {
  /** Width of the component's name; longer ones are cut. */
  readonly nameWidth: number;
  readonly time: boolean;
}

/** One entry as a line, or several where its text has several: `catalog │ …`, the component in a colour of its own. */
export function formatEntry(entry: LogEntry, options: LineOptions): string {
  const width = Math.min(options.nameWidth, MAX_NAME);
  const name =
    entry.component.length > width
      ? `${entry.component.slice(0, width - 1)}…`
      : entry.component.padEnd(width);
  const time = options.time ? `${paint('dim', clockTime(entry.atMs))} ` : '';
  const prefix = `${time}${paint(colourOf(entry.component), name)} ${paint('dim', '│')} `;
  const text = accessText(entry) ?? paintLevel(entry, printable(entry.text));
  return text
    .split('\n')
    .map((line) => prefix + line)
    .join('\n');
}

/** The same component has the same colour in every terminal. */
export function colourOf(component: string): (typeof COLOURS)[number] {
  let hash = 0;
  for (const letter of component) hash = (hash * 31 + letter.codePointAt(0)!) >>> 0;
  return COLOURS[hash % COLOURS.length]!;
}

/** An access line in short: `GET /api/catalog/A-1 200 3.1ms`, with what a cold start added. Null for any other entry. */
function accessText({ stream, fields }: LogEntry): string | null {
  if (stream !== 'platform' || fields === null) return null;
  const { method, path, status, durationMs, waitedMs, cold } = fields;
  if (typeof method !== 'string' || typeof path !== 'string' || typeof status !== 'number') return null;
  const parts = [method, printable(path), paint(statusColour(status), String(status))];
  if (typeof durationMs === 'number') parts.push(formatDuration(durationMs));
  if (typeof waitedMs === 'number' && (cold === true || waitedMs >= 1)) {
    parts.push(paint('dim', `${cold === true ? 'cold' : 'waited'} +${formatDuration(waitedMs)}`));
  }
  return parts.join(' ');
}

export function statusColour(status: number): 'green' | 'cyan' | 'yellow' | 'red' {
  if (status >= 500) return 'red';
  if (status >= 400) return 'yellow';
  return status >= 300 ? 'cyan' : 'green';
}

export function paintLevel(entry: LogEntry, text: string): string {
  if (entry.level === 'error') return paint('red', text);
  if (entry.level === 'warn') return paint('yellow', text);
  return entry.level === 'debug' || entry.stream === 'platform' ? paint('dim', text) : text;
}

export function clockTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
