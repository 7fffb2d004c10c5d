import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { clientView, readForwarded } from './forwarded.ts';
import { HostNames } from './host-names.ts';
import { readFields } from './request-fields.ts';
import { TrustedProxies } from './trusted-proxies.ts';

function view(headers: string[], trusted: boolean, peer = '10.0.0.1') {
  return clientView(readFields(headers), peer, 'http', trusted, 'inner:8080', new HostNames());
}

const SPOOFED = [
  ...['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Host', 'evil.io', 'X-Forwarded-Proto', 'https'],
  ...['Forwarded', 'for=6.6.6.6;host=evil.io', 'X-Real-IP', '6.6.6.6'],
];

test('what a stranger says of itself is replaced', () => {
  const { text, ...said } = view(SPOOFED, false, '::ffff:192.0.2.7');
  const forwarded = 'for=192.0.2.7;host="inner:8080";proto=http';
  assert.deepEqual(said, { proto: 'http', host: 'inner:8080', chain: '192.0.2.7', forwarded });
  assert.deepEqual(text.split('\0'), [
    ...['X-Forwarded-For', '192.0.2.7', 'X-Forwarded-Host', 'inner:8080'],
    ...['X-Forwarded-Proto', 'http', 'Forwarded', forwarded],
  ]);
});

test('a trusted proxy is believed and added to the chain', () => {
  const headers = ['X-Forwarded-For', '198.51.100.1, 2001:db8::1', 'X-Forwarded-For', '192.0.2.9:4711'];
  headers.push('X-Forwarded-Proto', 'HTTPS', 'X-Forwarded-Host', 'shop.io');
  const { text: _text, ...said } = view(headers, true);
  assert.deepEqual(said, {
    proto: 'https',
    host: 'shop.io',
    chain: '198.51.100.1, 2001:db8::1, 192.0.2.9:4711, 10.0.0.1',
    forwarded: 'for=198.51.100.1, for="[2001:db8::1]", for=192.0.2.9, for=10.0.0.1;host=shop.io;proto=https',
  });
});

test('of a repeated host the one that the proxy added counts, and one that is none does not', () => {
  assert.equal(view(['X-Forwarded-Host', 'evil.io, shop.io'], true).host, 'shop.io');
  assert.equal(view(['X-Forwarded-Host', 'a/b@c'], true).host, 'inner:8080');
  assert.equal(view(['X-Forwarded-Proto', 'javascript'], true).proto, 'http');
});

test('Forwarded is read from a trusted proxy that sends no X-Forwarded-For', () => {
  const said = view(['Forwarded', 'for="[2001:db8::1]:443";proto=https;host="shop.io", for=unknown'], true);
  assert.equal(said.chain, '2001:db8::1, unknown, 10.0.0.1');
  assert.equal(said.forwarded, 'for="[2001:db8::1]", for=unknown, for=10.0.0.1;host=shop.io;proto=https');
  const both = view(['Forwarded', 'for=6.6.6.6;proto=https', 'X-Forwarded-For', '198.51.100.1'], true);
  assert.deepEqual([both.chain, both.proto], ['198.51.100.1, 10.0.0.1', 'http']);
});

test('a Forwarded field that follows no grammar says nothing', () => {
  assert.equal(readForwarded('for="unclosed'), null);
  assert.equal(readForwarded('nonsense'), null);
  assert.deepEqual(readForwarded('host="a\\"b"'), { nodes: [], host: 'a"b', proto: null });
});

test('proxies are trusted by address and by block', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', 'fd00::/8']);
  const trusted = ['10.200.1.1', '192.0.2.1', '::ffff:10.0.0.1', 'fd12::1'];
  const strangers = ['11.0.0.1', '192.0.2.2', 'fe80::1', 'nonsense', ''];
  assert.deepEqual(
    trusted.map((address) => proxies.trusts(address)),
    trusted.map(() => true),
  );
  assert.deepEqual(
    strangers.map((address) => proxies.trusts(address)),
    strangers.map(() => false),
  );
  assert.equal(new TrustedProxies([]).trusts('127.0.0.1'), false);
  for (const wrong of ['10.0.0.0/33', 'proxy.local', '10.0.0.0/8/8', '10.0.0.0/', '']) {
    assert.throws(
      () => new TrustedProxies([wrong]),
      (error) => error instanceof FulcrumError && error.code === 'config-invalid',
    );
  }
});
