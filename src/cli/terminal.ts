import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];
type Stream = NodeJS.WriteStream;

/** Colours `text` where `stream` shows colours: a terminal, and neither NO_COLOR nor a pipe. */
export function paint(format: Format, text: string, stream: Stream = process.stdout): string {
  return styleText(format, text, { stream });
}

/** Columns of the terminal; 80 where there is none, or what COLUMNS says. */
export function terminalWidth(): number {
  const columns = process.stdout.columns ?? Number(process.env['COLUMNS']);
  return Number.isInteger(columns) && columns >= 20 ? columns : 80;
}

/**
 * `text` from a component or another machine, without what could take over the terminal it is printed on: control characters
 * and escape sequences go, but for tabs, line breaks and colours.
 */
export function printable(text: string): string {
  const coloured = text.includes('\u001B[');
  const clean = text
    .replaceAll('\r\n', '\n')
    .replaceAll(CONTROL, (found, colour: string | undefined) => (colour === undefined ? '' : found));
  return coloured && clean.includes('\u001B[') ? `${clean}\u001B[0m` : clean;
}

/** The same on one line and without colours. */
export function printableLine(text: string): string {
  return printable(text.replaceAll(COLOUR, ''))
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('\t', ' ');
}

/** Cuts `text` to `width` columns; the last one then says that there is more. */
export function truncate(text: string, width: number): string {
  const letters = Array.from(text);
  if (letters.length <= width) return text;
  return width <= 0 ? '' : `${letters.slice(0, width - 1).join('')}…`;
}

/** `text` in lines of at most `width` columns, cut between words where they are not longer than that. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (Array.from(longer).length <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const letters = Array.from(word);
    while (letters.length > width) lines.push(letters.splice(0, width).join(''));
    line = letters.join('');
  }
  return [...lines, line];
}

const ESCAPE = '\u001B';
const COLOUR = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g');

const CONTROL = new RegExp(
  [
    '(\\u001B\\[[0-9;]{0,40}m)', // a colour, which is kept
    '\\u001B\\][^\\u0007\\u001B]*(?:\\u0007|\\u001B\\\\)?', // operating system command: title, clipboard, links
    '\\u001B[PX^_][^\\u001B]*(?:\\u001B\\\\)?', // device control and other strings
    '\\u001B\\[[0-?]*[ -/]*[@-~]?', // any other control sequence
    '\\u001B[ -/]*[0-~]?',
    '[\\u0000-\\u0008\\u000B-\\u001F\\u007F-\\u009F]', // bare control characters, C1 included
    '[\\u202A-\\u202E\\u2066-\\u2069]', // direction overrides
  ].join('|'),
  'g',
);
