import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage, MessageParser, readReport, type Report } from './orders.ts';

describe('reports', () => {
  test('of every kind are taken as they are', () => {
    const reports: Report[] = [
      { said: 'warm' },
      { said: 'forked', id: 1, pid: 2 },
      { said: 'not-forked', id: 1, why: 'fork: EAGAIN', exhausted: 'EAGAIN' },
      { said: 'not-forked', id: 1, why: 'EPERM', exhausted: null },
      { said: 'ended', pid: 2, exitCode: 0, signal: null },
      { said: 'ended', pid: 2, exitCode: null, signal: 9 },
      { said: 'ended', pid: 2, exitCode: null, signal: 9, cpuMs: 12 },
      { said: 'loaded', unsuited: null, starts: false, warnings: ['drawn'] },
    ];
    for (const report of reports) assert.deepEqual(readReport(report), report);
  });

  test('that a hostile zygote makes up are none', () => {
    for (const said of [
      null,
      'forked',
      [],
      {},
      { said: 'other' },
      { said: 'forked', id: 1 },
      { said: 'forked', id: 1, pid: '../../srv/fifo' },
      { said: 'forked', id: 1, pid: 0 },
      { said: 'forked', id: 1, pid: -1 },
      { said: 'forked', id: 1.5, pid: 2 },
      { said: 'forked', id: 1, pid: 2 ** 40 },
      { said: 'not-forked', id: 1, why: {}, exhausted: null },
      { said: 'not-forked', id: 1, why: 'EAGAIN', exhausted: 11 },
      { said: 'ended', pid: 2, exitCode: 256, signal: null },
      { said: 'ended', pid: 2 },
      { said: 'ended', pid: 2, exitCode: 0, signal: null, cpuMs: -1 },
      { said: 'ended', pid: 2, exitCode: 0, signal: null, cpuMs: 1e300 },
      { said: 'loaded', unsuited: 1, starts: false, warnings: [] },
      { said: 'loaded', unsuited: null, starts: 'no', warnings: [] },
      { said: 'loaded', unsuited: null, starts: false, warnings: [{}] },
      { said: 'loaded', unsuited: 'x'.repeat(100_000), starts: false, warnings: [] },
      { said: 'loaded', unsuited: null, starts: false, warnings: Array(1_000).fill('x') },
    ]) {
      assert.throws(() => readReport(said), TypeError, JSON.stringify(said).slice(0, 80));
    }
  });

  test('are put together however they come', () => {
    const bytes = Buffer.concat([
      encodeMessage({ said: 'warm' }),
      encodeMessage({ said: 'forked', id: 7, pid: 8 }),
    ]);
    const parser = new MessageParser<Report>();
    const whole = [...bytes].flatMap((byte) => parser.push(Buffer.from([byte])));
    assert.deepEqual(
      whole.map(({ message }) => message),
      [{ said: 'warm' }, { said: 'forked', id: 7, pid: 8 }],
    );
    assert.throws(() => parser.push(Buffer.from([0xff, 0xff, 0xff, 0x7f, 0])), RangeError);
  });
});
