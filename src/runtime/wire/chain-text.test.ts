import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainText, chainWith, pathOf, readChain } from './chain-text.ts';

const PATH = [
  { component: 'cart', function: 'place' },
  { component: 'stock-room', function: null },
  { component: 'inventory', function: 'reserve all.now ünd\0 € %41' },
];

test('a chain goes through its text', () => {
  const chain = chainWith(null, PATH);
  assert.equal(chain!.depth, 3);
  assert.deepEqual(pathOf(readChain(chainText(chain))), PATH);
  assert.deepEqual(readChain(chainText(chain)), chain);
  assert.match(chainText(chain), /^[!-~]+ [!-~]+ [!-~]+$/);
  assert.equal(chainText(null), '');
  assert.equal(readChain(''), null);
});

test('a name that is no text at all does no harm', () => {
  const chain = chainWith(null, [{ component: 'a', function: '\ud800' }]);
  assert.equal(readChain(chainText(chain))!.function, '\ufffd');
});

test('steps are put behind a chain that is there', () => {
  const chain = chainWith(chainWith(null, PATH.slice(0, 1)), PATH.slice(1));
  assert.deepEqual(pathOf(chain), PATH);
  assert.equal(chain!.by!.by!.depth, 1);
});
