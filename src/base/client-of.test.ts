import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientOf } from './client-of.ts';

test('addresses of one /64 are one client, however they are written', () => {
  assert.equal(clientOf('2001:db8::1'), clientOf('2001:db8:0:0:ffff:ffff:ffff:ffff'));
  assert.notEqual(clientOf('2001:db8::1'), clientOf('2001:db8:0:1::1'));
  assert.equal(clientOf('2001:0DB8:0:0::1'), clientOf('2001:db8::2'));
  assert.equal(clientOf('fe80::1%eth0'), clientOf('fe80::2'));
  assert.equal(clientOf('::ffff:192.0.2.1'), clientOf('192.0.2.1'));
  assert.equal(clientOf('::ffff:102:304'), '1.2.3.4');
  assert.equal(clientOf('::FFFF:0102:0304'), '1.2.3.4');
  assert.equal(clientOf('0:0:0:0:0:ffff:1.2.3.4'), '1.2.3.4');
});

/** One of the ways in which an address may be written. */
const written = fc
  .record({
    groups: fc.array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff)), {
      minLength: 8,
      maxLength: 8,
    }),
    padded: fc.boolean(),
    upper: fc.boolean(),
    gap: fc.tuple(fc.nat(7), fc.nat(8)),
    dotted: fc.boolean(),
  })
  .map(({ groups, padded, upper, gap: [from, length], dotted }) => {
    const parts = groups.map((group) => group.toString(16).padStart(padded ? 4 : 1, '0'));
    if (dotted) {
      const ends = groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]);
      parts.splice(6, 2, ends.join('.'));
    }
    const to = Math.min(from + length, dotted ? 6 : 8);
    const canShorten = to > from && groups.slice(from, to).every((group) => group === 0);
    const text = canShorten
      ? `${parts.slice(0, from).join(':')}::${parts.slice(to).join(':')}`
      : parts.join(':');
    return { groups, text: upper ? text.toUpperCase() : text };
  });

test('two addresses are one client where Node’s block list has both in one /64, however they are written', () => {
  fc.assert(
    fc.property(written, written, fc.boolean(), (one, two, near) => {
      const other = near ? [...one.groups.slice(0, 4), ...two.groups.slice(4)] : two.groups;
      const text = near ? other.map((group) => group.toString(16)).join(':') : two.text;
      const list = new BlockList();
      list.addSubnet(one.text, 64, 'ipv6');
      // Within ::ffff:0:0/96 there are IPv4 addresses, of which each is a client.
      const mapped = new BlockList();
      mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
      fc.pre(!mapped.check(one.text, 'ipv6') && !mapped.check(text, 'ipv6'));
      assert.equal(clientOf(one.text) === clientOf(text), list.check(text, 'ipv6'), `${one.text} ${text}`);
    }),
  );
});

test('an IPv4 address in IPv6 is that client, however it is written', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.boolean(), fc.boolean(), (ip, padded, upper) => {
      const bytes = ip.split('.').map(Number);
      const groups = [0, 2].map((i) => ((bytes[i]! << 8) | bytes[i + 1]!).toString(16));
      const hex = `::ffff:${groups.map((group) => group.padStart(padded ? 4 : 1, '0')).join(':')}`;
      assert.equal(clientOf(upper ? hex.toUpperCase() : hex), ip);
      assert.equal(clientOf(`::ffff:${ip}`), ip);
    }),
  );
});

const ADDRESSES: [string, string][] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:2::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
];
for (const [address, key] of ADDRESSES) {
  test(`${address} counts as ${key}`, () => assert.equal(clientOf(address), key));
}
