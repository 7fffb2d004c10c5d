import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import { EPOCH_MS } from '../testing/traffic.ts';
import { unitFacts, usageLines, type Ran } from '../testing/usage-export.ts';
import { importTrace } from './import-trace.ts';
import { importOptions, TraceFolder } from './testing/trace-folder.ts';

const folder = new TraceFolder();
after(() => folder.end());

const HOUR_MS = 3_600_000;
const RAN: Ran[] = [
  { component: 'cart', atMs: 1_000, durationMs: 50 },
  { component: 'orders', atMs: 2_000, durationMs: 20 },
  { component: 'orders', atMs: 3_000, durationMs: 20, logged: false },
];

function written(name: string, lines: readonly (UsageLine | string)[]): string {
  return folder.write(
    name,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))),
  );
}

describe("an app's exported usage as a trace", () => {
  test('is known by its first line; each component is a function with its memory', async () => {
    const path = written('shop.jsonl', usageLines(RAN, { spanMs: HOUR_MS }));
    const trace = await importTrace([path], importOptions());
    assert.equal(trace.format, 'fulcrum');
    assert.deepEqual(
      trace.functions.map(({ name, arrivals, memoryBytes }) => [name, arrivals, memoryBytes]),
      [
        ['cart', 1, 128 * 1024 ** 2],
        ['orders', 2, 128 * 1024 ** 2],
      ],
    );
    assert.deepEqual(trace.span, { fromMs: EPOCH_MS, toMs: EPOCH_MS + HOUR_MS });
    assert.ok(trace.notes.some((note) => note.startsWith('Of 33 % of the arrivals only their minute')));
    assert.ok(trace.notes.some((note) => note.startsWith('Settings are not in the export')));
  });

  test('with facts its units are replayed, a group as one, with their settings', async () => {
    const facts = [
      unitFacts({ unit: 'back', kind: 'group', members: ['cart', 'orders'] }),
      unitFacts({ unit: 'report' }),
    ];
    const path = written('grouped.jsonl', usageLines(RAN, { spanMs: HOUR_MS, facts }));
    const { functions } = await importTrace([path], importOptions());
    assert.deepEqual(
      functions.map(({ name, arrivals }) => [name, arrivals]),
      [
        ['back', 3],
        // It is there, and costs something as a service.
        ['report', 0],
      ],
    );
    assert.deepEqual(functions[0]!.models?.service.settings, facts[0]!.service);
  });

  test('it begins when the app was first seen', async () => {
    const later = RAN.map((one) => ({ ...one, atMs: one.atMs + 1_800_000 }));
    const path = written('young.jsonl', usageLines(later, { spanMs: HOUR_MS }));
    const { span } = await importTrace([path], importOptions());
    assert.deepEqual(span, { fromMs: EPOCH_MS + 1_800_000, toMs: EPOCH_MS + HOUR_MS });
  });

  test('gaps are told', async () => {
    const more: UsageLine[] = [{ kind: 'gap', fromMs: EPOCH_MS, toMs: EPOCH_MS + 1_500 }];
    const path = written('gap.jsonl', usageLines(RAN, { spanMs: HOUR_MS, more }));
    const { notes } = await importTrace([path], importOptions());
    assert.ok(notes.includes('A server ended without a word once: usage of up to 1.5s may be missing.'));
  });

  test('two files of one app are told apart', async () => {
    const paths = ['monday', 'tuesday'].map((name) =>
      written(`${name}.jsonl`, usageLines(RAN, { spanMs: HOUR_MS })),
    );
    const { functions } = await importTrace(paths, importOptions());
    assert.deepEqual(
      functions.map(({ name }) => name),
      ['monday/cart', 'monday/orders', 'tuesday/cart', 'tuesday/orders'],
    );
  });

  test('bad rows are counted, with their lines', async () => {
    const [head, ...rest] = usageLines(RAN, { spanMs: HOUR_MS });
    const bad = { ...rest[0], count: 'many' } as unknown as UsageLine;
    const damaged = { ...rest[0], duration: 'AQE' } as UsageLine;
    const path = written('bad.jsonl', [head!, 'nonsense', bad, damaged, ...rest]);
    const trace = await importTrace([path], importOptions());
    assert.deepEqual(
      trace.bad.map(({ line, found }) => [line, found]),
      [
        [2, 'nonsense'],
        [3, 'count: "many"'],
        [4, 'minute of "cart"'],
      ],
    );
    assert.equal(trace.arrivals, 3);
    await assert.rejects(
      importTrace([path], importOptions({ strict: true })),
      /bad\.jsonl:2: found "nonsense"/,
    );
  });

  test('one that was cut short is no trace', async () => {
    const path = written('cut.jsonl', usageLines(RAN, { spanMs: HOUR_MS }).slice(0, -1));
    await assert.rejects(
      importTrace([path], importOptions()),
      (error) =>
        error instanceof FulcrumError &&
        error.code === 'trace-invalid' &&
        /cut was cut short: its last line, "end", is missing or bad/.test(error.message),
    );
  });
});
