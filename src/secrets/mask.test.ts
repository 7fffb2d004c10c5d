import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretMask } from './mask.ts';

const PEM = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\nshort\n-----END PRIVATE KEY-----\n';

const CASES: [string, string[], string, string][] = [
  ['a value', ['hunter22'], 'key=hunter22, again hunter22', 'key=***, again ***'],
  ['none', [], 'nothing to hide', 'nothing to hide'],
  ['a short one, which is a word', ['prod'], 'in prod', 'in prod'],
  ['one that is part of another', ['secret', 'secret-and-more'], 'secret-and-more secret', '*** ***'],
  ['one that JSON writes in another way', ['a"b\\c"d'], JSON.stringify({ k: 'a"b\\c"d' }), '{"k":"***"}'],
  ['white space at its ends', [' padded-value\n'], 'is padded-value.', 'is ***.'],
  ['a key of several lines', [PEM], PEM.replace('short', 'x'), '***\n***\nx\n***\n'],
  ['what looks like a pattern', ['a.*b$&+('], 'x a.*b$&+( y', 'x *** y'],
];
for (const [what, values, text, shown] of CASES) {
  test(`hides ${what}`, () => {
    const mask = new SecretMask();
    mask.learn(values);
    assert.equal(mask.hide(text), shown);
  });
}

test('what was learnt before stays hidden', () => {
  const mask = new SecretMask();
  mask.learn(['first-value']);
  mask.learn(['second-value']);
  assert.equal(mask.hide('first-value second-value'), '*** ***');
});
