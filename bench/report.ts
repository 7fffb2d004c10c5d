import type { Row, Target } from './benchmark.ts';

/** Rows for a person, in lines of at most 80 characters. */
export function table(rows: readonly Row[]): string {
  const lines: string[] = [];
  let bench = '';
  let metric = '';
  for (const row of rows) {
    if (row.bench !== bench) lines.push('', row.bench.toUpperCase());
    if (row.metric !== metric || row.bench !== bench) lines.push(`  ${row.metric}`);
    ({ bench, metric } = row);
    lines.push(
      `    ${fit(row.name, 24)} ${fit(`${figure(row.value)} ${row.unit}`, 20)} ${judgement(row)}`.trimEnd(),
    );
  }
  return lines.join('\n').trimStart();
}

function judgement({ ratio, target, ok }: Row): string {
  const times = ratio === undefined ? '' : `× ${ratio.toFixed(2)}`;
  if (target === undefined) return times;
  return `${times.padEnd(7)} ${bounds(target)} ${ok ? 'met' : 'MISSED'}`;
}

function bounds({ min, max }: Target): string {
  return [min === undefined ? '' : `≥ ${figure(min)}`, max === undefined ? '' : `≤ ${figure(max)}`]
    .filter((bound) => bound !== '')
    .join(' and ');
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

/** Three digits are as many as any of this is worth. */
function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-GB');
  return String(Number(value.toPrecision(3)));
}
