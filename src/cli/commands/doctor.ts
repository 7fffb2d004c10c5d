import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkApp, prepareApp } from '../doctor/app.ts';
import { readFacts } from '../doctor/facts.ts';
import { checkDeadLetters } from '../doctor/dead-letters.ts';
import type { Finding } from '../doctor/finding.ts';
import { judgeMachine } from '../doctor/machine.ts';
import { judgeSandboxes, readSandboxes } from '../doctor/sandboxes.ts';
import { checkSurroundings } from '../doctor/surroundings.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint, printable, terminalWidth, wrap } from '../terminal.ts';

export interface DoctorOptions {
  readonly json?: boolean;
  readonly environment: string;
}

const MARKS = { ok: ['green', '✔'], warning: ['yellow', '!'], fail: ['red', '✖'] } as const;

export async function doctor(directory: string, options: DoctorOptions): Promise<ExitCode> {
  const folder = await realpath(resolve(directory)).catch(() => resolve(directory));
  const [surroundings, deadLetters, app] = await Promise.all([
    checkSurroundings(),
    checkDeadLetters(),
    checkApp(folder, options.environment, prepareApp),
  ]);
  const sandboxes = await readSandboxes();
  const machine = [...judgeMachine(await readFacts()), ...judgeSandboxes(sandboxes)];
  const findings = [...machine, ...surroundings, ...deadLetters, ...app];
  const healthy = findings.every((finding) => finding.status !== 'fail');
  if (options.json) printJson({ ok: healthy, findings, sandboxes });
  else for (const line of doctorLines(findings, terminalWidth())) print(line);
  return healthy ? EXIT.ok : EXIT.failed;
}

/** @param columns no line is wider, but for messages of others that have lines of their own. */
export function doctorLines(findings: readonly Finding[], columns: number): string[] {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 4);
  const room = Math.max(20, columns - indent.length);
  const lines = findings.flatMap(({ name, status, found, advice }) => {
    const [colour, mark] = MARKS[status];
    const lines = printable(found).split('\n');
    // What has lines already, such as a code frame, is left as it is.
    const [first, ...more] = lines.length > 1 ? lines : wrap(lines[0]!, room);
    return [
      `${paint(colour, mark)} ${paint('bold', name.padEnd(width))}  ${first}`,
      ...more.map((line) => indent + line),
      ...(advice === null ? [] : wrap(`→ ${advice}`, room).map((line) => `${indent}${paint(colour, line)}`)),
    ];
  });
  const count = (status: Finding['status']): number =>
    findings.filter((finding) => finding.status === status).length;
  const many = (value: number, word: string): string => `${value} ${word}${value === 1 ? '' : 's'}`;
  return [...lines, '', `${many(count('fail'), 'failure')}, ${many(count('warning'), 'warning')}`];
}
