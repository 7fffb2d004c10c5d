// A reporter for node:test that prints each failure in full, what was skipped and why, the files that took longest, and the
// closing counts. Whatever makes a run fail is told and counted; a file that ends well before it has told of its tests is a failure, too.
import { basename, resolve } from 'node:path';

const SLOWEST = 6;

export default async function* failures(source) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const skipped = [];
  const files = [];
  // The suites and tests that what is told of now stands in: one file's are told after another's.
  const path = [];
  const unwell = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      path.length = data.nesting;
      path.push(data.name);
    } else if (type === 'test:summary') {
      if (data.file) files.push({ name: basename(data.file), seconds: data.duration_ms / 1_000 });
      if (!data.success) unwell.push(data.file ?? 'the run');
    } else if (type === 'test:diagnostic' && data.file && data.message.startsWith('Error: ')) {
      // What happens behind the end of a test: its file fails, and does not say of what.
      yield `\n\n${data.message}\n`;
    } else if (type === 'test:pass' && endedEarly(data)) {
      counts.failed += 1;
      // To Node it is a success.
      process.exitCode = 1;
      yield `\n\n✖ ${data.name} has no tests, or has ended before it told of any\n`;
    } else if (type === 'test:pass' && data.details?.type !== 'suite') {
      if (data.skip === undefined) counts.passed += 1;
      else {
        counts.skipped += 1;
        skipped.push(`${data.name}: ${typeof data.skip === 'string' ? data.skip : 'no reason given'}`);
      }
    } else if (type === 'test:fail' && isToTell(data)) {
      counts.failed += 1;
      const { name, nesting, file, line, details } = data;
      const error = details.error?.cause ?? details.error;
      const place = [...path.slice(0, nesting), name].join(' › ');
      yield `\n\n✖ ${place}\n  ${file}:${line} (${Math.round(details.duration_ms)} ms)\n${indent(error?.stack ?? String(error))}\n`;
    }
  }
  if (unwell.length > 0 && counts.failed === 0) {
    counts.failed = 1;
    yield `\n\n✖ ${unwell[0]} failed, and nothing was told of why: --test-reporter=spec may know more\n`;
  }
  yield '\n';
  const slowest = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  if (files.length > SLOWEST) {
    yield `slowest: ${slowest.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ')}\n`;
  }
  for (const line of skipped) yield `skipped: ${line}\n`;
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}

/** A suite fails with its tests, which are told; what else it fails of is told by nothing else. What is still to be done may fail. */
function isToTell({ todo, details: { type, error } = {} }) {
  if (todo !== undefined) return false;
  return type !== 'suite' || error?.failureType !== 'subtestsFailed';
}

/** A file stands for itself only where it has told of nothing in it. */
function endedEarly({ name, nesting, file }) {
  return nesting === 0 && file !== undefined && resolve(name) === file;
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
