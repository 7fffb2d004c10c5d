import type { ModeFinding } from '../model/mode-check.ts';
import { paint, printable, printableLine } from './terminal.ts';

/**
 * What a switch would break, for people: the place, of a group the member, what it does, the line itself, and what to do.
 *
 *     warning greeter.ts:5:3 shared-variable
 *       'user' is written by a request …
 *       5 | user = request.headers.get('x-user');
 *       Keep it in a local variable …
 *
 * @param stream where the lines are written to, as that decides on colours.
 */
export function findingLines(
  findings: readonly ModeFinding[],
  stream: NodeJS.WriteStream = process.stdout,
): string[] {
  return findings.flatMap((finding) => {
    const { severity, rule, member, file, line, column, lineText, message, advice } = finding;
    const head = paint(severity === 'warning' ? 'yellow' : 'dim', severity, stream);
    const place =
      file === null ? '' : ` ${paint('bold', printableLine(`${file}:${line}:${column}`), stream)}`;
    const source = lineText === '' ? [] : [`  ${line} | ${printableLine(lineText)}`];
    const whose = member ? ` in ${printableLine(member)}` : '';
    return [
      `${head}${place} ${rule}${whose}`,
      `  ${printable(message)}`,
      ...source,
      paint('dim', `  ${printable(advice)}`, stream),
    ];
  });
}

/** The findings that an error of `switch-unsafe` carries; empty where it carries none. */
export function findingsOf(details: Readonly<Record<string, unknown>>): readonly ModeFinding[] {
  const { findings } = details;
  return Array.isArray(findings)
    ? (findings as ModeFinding[]).filter((one) => typeof one === 'object' && one !== null)
    : [];
}
