import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER, assemble, DATA, type Step } from './bpf.ts';

test('labels become distances, and take no room', () => {
  const program = assemble([
    { do: 'load', offset: DATA.argument(1) },
    { do: 'jump', when: 'equal', value: 7, to: 'yes', otherwise: 'no' },
    { do: 'label', name: 'no' },
    { do: 'answer', action: ANSWER.allow },
    { do: 'label', name: 'yes' },
    { do: 'and', mask: 0xf0 },
    { do: 'answer', action: ANSWER.error(1) },
  ]);
  assert.equal(
    program.toString('hex').match(/.{16}/g)!.join(' '),
    [
      '2000000018000000', // load the second argument
      '1500010007000000', // equal to 7: one further, otherwise the next
      '060000000000ff7f', // allow
      '54000000f0000000', // and
      '0600000001000500', // EPERM
    ].join(' '),
  );
});

test('what cannot be reached is said', () => {
  const jump: Step = { do: 'jump', when: 'equal', value: 0, to: 'there' };
  const answer: Step = { do: 'answer', action: ANSWER.allow };
  assert.throws(() => assemble([jump, answer]), /there cannot be reached/);
  assert.throws(() => assemble([{ do: 'label', name: 'there' }, jump, answer]), /cannot be reached/);
  const far = Array.from({ length: 256 }, () => answer);
  assert.throws(() => assemble([jump, ...far, { do: 'label', name: 'there' }, answer]), /cannot be reached/);
  assert.doesNotThrow(() => assemble([jump, ...far.slice(1), { do: 'label', name: 'there' }, answer]));
});
