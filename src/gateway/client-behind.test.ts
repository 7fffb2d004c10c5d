import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientBehind } from './client-behind.ts';
import { TrustedProxies } from './trusted-proxies.ts';

const MACHINE = new TrustedProxies(['10.0.0.0/8']);
const APP = new TrustedProxies(['192.0.2.7']);

test('the client is the last one that no trusted proxy is: what it wrote itself stands before it', () => {
  const clients: [chain: string, client: string][] = [
    ['198.51.100.1', '198.51.100.1'],
    ['6.6.6.6, 198.51.100.1, 10.0.0.1', '198.51.100.1'],
    ['6.6.6.6, 198.51.100.1, 192.0.2.7, 10.9.9.9, 10.0.0.1', '198.51.100.1'],
    ['10.0.0.3, 10.0.0.2, 10.0.0.1', '10.0.0.3'],
    ['unknown, 10.0.0.1', '10.0.0.1'],
    ['evil text, 10.0.0.2, 10.0.0.1', '10.0.0.2'],
    ['198.51.100.1:4711, 10.0.0.1', '198.51.100.1'],
    ['[2001:db8:1:2::9]:443, 10.0.0.1', '2001:db8:1:2'],
    ['::ffff:198.51.100.1, 10.0.0.1', '198.51.100.1'],
  ];
  for (const [chain, client] of clients) assert.equal(clientBehind({ chain }, MACHINE, APP), client, chain);
});

test('whom only the app trusts is its client where it does not', () => {
  assert.equal(clientBehind({ chain: '198.51.100.1, 192.0.2.7, 10.0.0.1' }, MACHINE, null), '192.0.2.7');
});
