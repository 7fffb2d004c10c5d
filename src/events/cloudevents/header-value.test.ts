import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';

test('the specification’s own example', () => {
  const encoded = 'Euro%20%E2%82%AC%20%F0%9F%98%80';
  assert.equal(encodeHeaderValue('Euro € 😀'), encoded);
  assert.deepEqual(decodeHeaderValue(encoded), { value: 'Euro € 😀' });
});

test('spaces, double quotes, percent signs and control characters are encoded, and nothing else of ASCII', () => {
  assert.equal(encodeHeaderValue(' "%\u007f\u0000'), '%20%22%25%7F%00');
  const rest = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
    .join('')
    .replaceAll(/["%]/g, '');
  assert.equal(encodeHeaderValue(rest), rest);
});

test('what is written is read as it was, whatever it is', () => {
  // A prime step: all lengths of UTF-8, and every kind of sign.
  for (let code = 0; code <= 0x10ffff; code += 97) {
    const value = `a${String.fromCodePoint(code)} %41`;
    if (!value.isWellFormed()) continue;
    const encoded = encodeHeaderValue(value);
    assert.match(encoded, /^[\x21-\x7e]*$/);
    assert.deepEqual(decodeHeaderValue(encoded), { value });
  }
});
