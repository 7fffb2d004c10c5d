import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { openBook, parseBook, shippedBooks, shippedIds } from './price-book.ts';

const folder = mkdtempSync(join(tmpdir(), 'fulcrum-books-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = {
  id: 'my-cloud',
  title: 'My cloud',
  provider: 'me',
  region: 'here',
  currency: 'EUR',
  asOf: '2026-11-23',
  source: 'the contract',
  function: {
    granularityMs: 1,
    leastMb: 128,
    mostMb: 1024,
    perMillionRequests: 0.1,
    perGbSecond: [
      { upTo: 10, price: 2 },
      { upTo: null, price: 1 },
    ],
  },
};

function messageFor(book: unknown): string {
  const text = typeof book === 'string' ? book : JSON.stringify(book);
  try {
    parseBook(text, 'mine.json');
  } catch (error) {
    assert.ok(error instanceof FulcrumError);
    assert.equal(error.code, 'book-invalid');
    return error.message;
  }
  return 'no error';
}

/** The small book with one value changed, by its path. */
function withValue(path: string, value: unknown): unknown {
  const book = structuredClone(SMALL) as Record<string, unknown>;
  const keys = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  let at = book;
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  return book;
}

test('every book that comes with Fulcrum is valid, and named like its file', () => {
  assert.deepEqual(
    shippedBooks().map((book) => book.id),
    shippedIds(),
  );
  assert.ok(shippedIds().length >= 14);
});

test('a book says where and when its prices were read', () => {
  for (const book of shippedBooks().filter((each) => each.id !== 'own-machine')) {
    assert.match(book.source, /^https:\/\//, book.id);
    assert.match(book.asOf, /^\d{4}-\d{2}-\d{2}$/, book.id);
  }
});

test('what is left out takes no part, and one number is a price for all', () => {
  const book = parseBook(JSON.stringify(SMALL), 'mine.json');
  assert.deepEqual(book.function!.perMillionRequests, [{ upTo: null, price: 0.1 }]);
  assert.deepEqual(book.function!.perVcpuSecond, []);
  assert.deepEqual(book.function!.free, { requests: 0, gbSeconds: 0, vcpuSeconds: 0, cpuMs: 0 });
  assert.deepEqual([book.service, book.machine, book.fees, book.unverified], [null, null, [], []]);
});

test('a book is opened by its id or from a file, with a byte order mark too', () => {
  const file = join(folder, 'mine.json');
  writeFileSync(file, `\uFEFF${JSON.stringify(SMALL)}`);
  assert.equal(openBook(file).id, 'my-cloud');
  assert.equal(openBook('aws-ec2').title, 'AWS EC2');
  assert.throws(() => openBook('aws-ec3'), { code: 'usage', message: /Did you mean aws-ec2\?/ });
  assert.throws(() => openBook('zzz'), { code: 'usage', message: /`fulcrum books ls` lists them/ });
  assert.throws(() => openBook(join(folder, 'none.json')), {
    code: 'usage',
    message: /cannot be read: ENOENT/,
  });
  assert.throws(() => openBook(`${folder}/`), { code: 'usage', message: /cannot be read/ });
});

test('a file that is far too large is not read', () => {
  const file = join(folder, 'large.json');
  writeFileSync(file, ' '.repeat(1024 ** 2 + 1));
  assert.throws(() => openBook(file), { code: 'book-invalid', message: /too large/ });
});

test('what is no JSON is told with its line and column', () => {
  assert.match(messageFor('{\n  "id": "a",\n  oops\n}'), /^mine\.json is no JSON, line 3, column 3: /);
  assert.match(messageFor('{"id": '), /^mine\.json is no JSON, /);
  assert.match(messageFor(''), /^mine\.json is no JSON, at its end: /);
});

const WRONG: readonly [
  what: string,
  path: string,
  value: unknown,
  lines: readonly [string, string, string],
][] = [
  ['missing', 'title', undefined, ['title: missing', 'nothing', 'text']],
  [
    'of another type',
    'function.leastMb',
    '128',
    ['function.leastMb: of the wrong type', '"128"', 'a number above 0'],
  ],
  [
    'below 0',
    'function.perGbSecond[1].price',
    -1,
    ['function.perGbSecond[1].price: not one of the values there are', '-1', 'a number from 0 on'],
  ],
  [
    'an unknown key',
    'function.perGbSeconds',
    1,
    ['function.perGbSeconds: unknown key', 'the key "perGbSeconds"', 'perGbSecond'],
  ],
  [
    'an unknown key in a tier',
    'function.perGbSecond[0].upto',
    1,
    ['function.perGbSecond[0].upto: unknown key', 'the key "upto"', 'upTo'],
  ],
  [
    'no price',
    'function.perGbSecond',
    'cheap',
    ['function.perGbSecond: of the wrong type', '"cheap"', 'a price, or a list of tiers'],
  ],
  [
    'tiers out of order',
    'function.perGbSecond',
    [
      { upTo: 5, price: 1 },
      { upTo: 5, price: 1 },
      { upTo: null, price: 1 },
    ],
    ['function.perGbSecond[1].upTo: out of order', '5', 'more than 5'],
  ],
  [
    'a last tier that ends',
    'function.perGbSecond[1].upTo',
    20,
    ['function.perGbSecond[1].upTo: ends', '20', 'null, as the last tier has no end'],
  ],
  [
    'a tier without end before others',
    'function.perGbSecond[0].upTo',
    null,
    ['function.perGbSecond[0].upTo: has no end, and others follow', 'null', 'a number'],
  ],
  ['most below least', 'function.mostMb', 64, ['function.mostMb: below leastMb', '64', '128 or more']],
  [
    'no day',
    'asOf',
    '23.11.2026',
    ['asOf: not one of the values there are', '"23.11.2026"', 'a day such as 2026-11-23'],
  ],
  [
    'no currency',
    'currency',
    'euro',
    ['currency: not one of the values there are', '"euro"', 'three capital letters, such as USD'],
  ],
  [
    'sells nothing',
    'function',
    null,
    ['The book: sells nothing', '"neither"', 'function, service or machine'],
  ],
  [
    'a path that leads nowhere',
    'unverified',
    ['function.perGbSecond', 'function.perGBSecond'],
    [
      'unverified[1]: leads nowhere',
      '"function.perGBSecond"',
      'a path in this book, such as function.perGbSecond',
    ],
  ],
  [
    'two fees of one id',
    'fees',
    [
      { id: 'a', title: 'A', of: 'both' },
      { id: 'a', title: 'B', of: 'both' },
    ],
    ['fees[1].id: there twice', '"a"', 'an id of its own'],
  ],
  [
    'nothing to buy',
    'service',
    { granularityS: 1 },
    ['service.sizes: nothing to buy', 'an empty list', 'a size, or a machine'],
  ],
  [
    'a machine that sustains more than it has',
    'service',
    { granularityS: 1, machines: [{ name: 'm', vcpu: 1, sustainedVcpu: 2, gb: 1, perHour: 1 }] },
    ['service.machines[0].sustainedVcpu: above vcpu', '2', 'up to 1'],
  ],
];

for (const [what, path, value, [where, found, expected]] of WRONG) {
  test(`refused with path, found and expected: ${what}`, () => {
    const message = messageFor(withValue(path, value));
    assert.equal(
      message,
      `mine.json has one problem:\n\n  ${where.replace(':', ' (line 1):')}\n    found     ${found}\n    expected  ${expected}`,
    );
  });
}

test('all that is wrong is told at once', () => {
  const message = messageFor({
    ...SMALL,
    id: 'My Cloud',
    currency: 1,
    function: { ...SMALL.function, mostMb: 0 },
  });
  assert.match(message, /^mine\.json has 3 problems:/);
  for (const path of ['id', 'currency', 'function.mostMb'])
    assert.ok(message.includes(`\n  ${path} (line 1): `), path);
});

test('what is no object at all is refused', () => {
  for (const value of ['[]', '1', 'null', '"text"'])
    assert.match(messageFor(value), /The book \(line 1\): of the wrong type/);
});

test('of very many mistakes the first are told, and how many more there are', () => {
  const keys = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`zzz${i}`, i]));
  const message = messageFor({ ...SMALL, ...keys });
  assert.match(message, /^mine\.json has 30 problems:/);
  assert.match(message, /…and 18 more$/);
});

test('the line is told', () => {
  const text = JSON.stringify(withValue('function.mostMb', 64), null, 2);
  const line = text.split('\n').findIndex((each) => each.includes('mostMb')) + 1;
  assert.ok(line > 10);
  assert.ok(messageFor(text).includes(`\n  function.mostMb (line ${line}): below leastMb\n`));
});
