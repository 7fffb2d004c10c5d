import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callRecord } from '../meter/testing/call-record.ts';
import type { CallRecord } from '../model/calls.ts';
import type { LogEntry } from '../model/log.ts';
import { SecretMask } from '../secrets/mask.ts';
import type { Prepared } from './prepare.ts';
import { maskedCalls, maskedLog, secretValues } from './secret-values.ts';

const source = { kind: 'secret', secret: 'KEY' } as const;
const prepared = {
  app: {
    components: new Map([
      [
        'web',
        { name: 'web', kind: 'module', env: { KEY: source, PLAIN: { kind: 'value', value: 'plain-text' } } },
      ],
      ['files', { name: 'files', kind: 'static' }],
    ]),
  },
  env: new Map([['web', { KEY: 'sesame-of-web', PLAIN: 'plain-text' }]]),
  eventToken: 'sesame-of-the-endpoint',
} as unknown as Prepared;

test("the secrets of components and the token of the app's endpoint are hidden in what is printed", () => {
  assert.deepEqual(secretValues({ ...prepared, eventToken: null }), ['sesame-of-web']);
  const mask = new SecretMask();
  mask.learn(secretValues(prepared));
  const written: LogEntry[] = [];
  const log = maskedLog({ write: (entry) => void written.push(entry) }, mask);
  const text = 'sesame-of-web plain-text Bearer sesame-of-the-endpoint';
  log.write({ text, fields: { token: 'sesame-of-the-endpoint' } } as unknown as LogEntry);
  assert.deepEqual([written[0]!.text, written[0]!.fields], ['*** plain-text Bearer ***', { token: '***' }]);
});

test('a secret that was taken for a name is in no record of the call, which failed', () => {
  const mask = new SecretMask();
  mask.learn(['sesame-of-web']);
  const records: CallRecord[] = [];
  const calls = maskedCalls({ record: (call) => void records.push(call) }, mask);
  const failed = { outcome: 'refused', code: 'call-unknown-component' } as const;
  calls.record(callRecord({ ...failed, to: 'sesame-of-web' }));
  calls.record(
    callRecord({ outcome: 'handler-error', code: 'call-unknown-function', function: 'sesame-of-web' }),
  );
  const well = callRecord();
  calls.record(well);
  assert.deepEqual(
    records.map(({ to, function: called }) => [to, called]),
    [
      ['***', 'priceOf'],
      ['pricing', '***'],
      ['pricing', 'priceOf'],
    ],
  );
  assert.equal(records[2], well);
});
