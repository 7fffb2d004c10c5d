import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextSteps } from './next-steps.ts';

test('the first token is made by the user that the server runs as: the socket is that one’s alone', () => {
  const o = { dataDirectory: '/var/lib/fulcrum', units: ['fulcrum.service', 'fulcrum-http.socket'] };
  const own = nextSteps({ ...o, user: 'www' });
  assert.ok(own.includes('  chown -R www /var/lib/fulcrum'));
  assert.ok(own.includes('  sudo -u www fulcrum tokens create --name ci --scope deploy'));
  const root = nextSteps({ ...o, user: null });
  assert.ok(root.includes('  fulcrum tokens create --name ci --scope deploy'));
  assert.doesNotMatch(root.join('\n'), /chown|sudo/);
  assert.ok([...own, ...root].every((line) => line.length <= 80));
});
