// A reporter for node:test that prints each failure in full, what was skipped and why, the files that took longest, and the
// closing counts.
import { basename } from 'node:path';

const SLOWEST = 6;

export default async function* failures(source) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const skipped = [];
  const files = [];
  for await (const event of source) {
    if (event.type === 'test:summary' && event.data.file) {
      files.push({ name: basename(event.data.file), seconds: event.data.duration_ms / 1_000 });
    } else if (event.type === 'test:pass' && event.data.details?.type !== 'suite') {
      if (event.data.skip === undefined) counts.passed += 1;
      else {
        counts.skipped += 1;
        skipped.push(`${event.data.name}: ${event.data.skip || 'no reason given'}`);
      }
    } else if (event.type === 'test:fail' && isToTell(event.data.details)) {
      counts.failed += 1;
      const { name, file, line, details } = event.data;
      const error = details.error?.cause ?? details.error;
      yield `\n\n✖ ${name}\n  ${file}:${line} (${Math.round(details.duration_ms)} ms)\n${indent(error?.stack ?? String(error))}\n`;
    }
  }
  yield '\n';
  const slowest = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  if (files.length > SLOWEST) {
    yield `slowest: ${slowest.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ')}\n`;
  }
  for (const line of skipped) yield `skipped: ${line}\n`;
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}

/** A suite fails with its tests; what failed before any of them is told by nothing else. */
function isToTell({ type, error } = {}) {
  return type !== 'suite' || error?.failureType === 'hookFailed';
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
