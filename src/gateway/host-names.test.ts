import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostNames } from './host-names.ts';

const table: [string, string | null][] = [
  ['Shop.Example.com:8080', 'shop.example.com'],
  ['shop.example.com.', 'shop.example.com'],
  ['localhost', 'localhost'],
  ['my_host', 'my_host'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['[::1]:8080', '[::1]'],
  ['[::1]', '[::1]'],
  ['', null],
  ['a/b', null],
  ['user@host', null],
  ['a b', null],
  ['host:', null],
  ['host:99999', null],
  ['999.999.999.999', null],
  ['[::zz]', null],
];
for (const [host, expected] of table) {
  test(`host '${host}' → ${expected ?? 'none'}`, () => {
    const hosts = new HostNames();
    assert.equal(hosts.read(host), expected);
    assert.equal(hosts.read(host), expected);
  });
}
