import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { behaviours } from './behaviours.ts';
import { outcome } from './row.ts';
import { sides, startEcho } from './sides.ts';

const echo = await startEcho();
after(() => echo.stop());
const { node, ours } = sides(echo.url);

for (const row of behaviours) {
  test(row.name, async () => {
    const expected = await outcome(() => row.run(node));
    const got = await outcome(() => row.run(ours));
    if (row.differs === undefined) {
      assert.deepEqual(got, expected);
    } else {
      assert.notDeepEqual(expected, { value: row.ours }, `no difference any more: ${row.differs}`);
      assert.deepEqual(got, { value: row.ours }, row.differs);
    }
  });
}

test('every behaviour is told once', () => {
  const names = behaviours.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});
