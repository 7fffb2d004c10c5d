import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasTokenForm, newToken, tokenHash } from './token-form.ts';

test('a token can be told by its form, and its checksum tells a mistyped one', () => {
  const token = newToken();
  assert.match(token, /^ful_[0-9a-z]{47}$/);
  assert.ok(hasTokenForm(token));
  for (let at = 4; at < token.length; at++) {
    const other = token[at] === 'a' ? 'b' : 'a';
    assert.equal(hasTokenForm(token.slice(0, at) + other + token.slice(at + 1)), false, `character ${at}`);
  }
  for (const wrong of ['', 'ful_', token.slice(1), `${token}a`, token.toUpperCase(), ` ${token}`]) {
    assert.equal(hasTokenForm(wrong), false, wrong);
  }
});

test('tokens are all different, and have 160 random bits at least', () => {
  const tokens = new Set(Array.from({ length: 1_000 }, newToken));
  assert.equal(tokens.size, 1_000);
  const letters = new Set([...tokens].flatMap((token) => token.slice(4, 44).split('')));
  assert.equal(letters.size, 32, 'five bits for each of forty characters');
});

test('what is kept of a token is its SHA-256', () => {
  assert.equal(tokenHash('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
