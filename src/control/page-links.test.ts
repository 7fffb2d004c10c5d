import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { PageLinks } from './page-links.ts';

test('a link opens once, within a minute, and there is a bound of them', async () => {
  const clock = new FakeClock();
  const links = new PageLinks(clock);
  const one = links.create().token;
  assert.equal(links.take(`${one}x`), false);
  assert.equal(links.take(one), true);
  assert.equal(links.take(one), false);
  const late = links.create().token;
  await clock.advance(59_999);
  const early = links.create().token;
  await clock.advance(1);
  assert.equal(links.take(late), false);
  assert.equal(links.take(early), true);
  const many = Array.from({ length: 17 }, () => links.create().token);
  assert.deepEqual(
    many.map((token) => links.take(token)),
    many.map((_, i) => i > 0),
  );
});
