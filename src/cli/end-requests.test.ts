import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { EndRequests } from './end-requests.ts';

test('the first request ends in order, an echo of it nothing, and a person’s next one at once', async () => {
  const clock = new FakeClock();
  const requests = new EndRequests(clock);
  assert.equal(requests.next(), 'end-in-order');
  assert.equal(requests.next(), 'echo');
  await clock.advance(250);
  assert.equal(requests.next(), 'echo');
  await clock.advance(1);
  assert.equal(requests.next(), 'end-now');
});
