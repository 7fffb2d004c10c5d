import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkApp, prepareApp } from '../doctor/app.ts';
import { readFacts } from '../doctor/facts.ts';
import type { Finding } from '../doctor/finding.ts';
import { judgeMachine } from '../doctor/machine.ts';
import { checkSurroundings } from '../doctor/surroundings.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint, printable } from '../terminal.ts';

export interface DoctorOptions {
  readonly json?: boolean;
  readonly environment: string;
}

const MARKS = { ok: ['green', '✔'], warning: ['yellow', '!'], fail: ['red', '✖'] } as const;

export async function doctor(directory: string, options: DoctorOptions): Promise<ExitCode> {
  const folder = await realpath(resolve(directory)).catch(() => resolve(directory));
  const [surroundings, app] = await Promise.all([
    checkSurroundings(),
    checkApp(folder, options.environment, prepareApp),
  ]);
  const findings = [...judgeMachine(readFacts()), ...surroundings, ...app];
  const healthy = findings.every((finding) => finding.status !== 'fail');
  if (options.json) printJson({ ok: healthy, findings });
  else for (const line of doctorLines(findings)) print(line);
  return healthy ? EXIT.ok : EXIT.failed;
}

export function doctorLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 4);
  const lines = findings.flatMap(({ name, status, found, advice }) => {
    const [colour, mark] = MARKS[status];
    const [first, ...more] = printable(found).split('\n');
    return [
      `${paint(colour, mark)} ${paint('bold', name.padEnd(width))}  ${first}`,
      ...more.map((line) => indent + line),
      ...(advice === null ? [] : [`${indent}${paint(colour, `→ ${advice}`)}`]),
    ];
  });
  const count = (status: Finding['status']): number =>
    findings.filter((finding) => finding.status === status).length;
  const many = (value: number, word: string): string => `${value} ${word}${value === 1 ? '' : 's'}`;
  return [...lines, '', `${many(count('fail'), 'failure')}, ${many(count('warning'), 'warning')}`];
}
