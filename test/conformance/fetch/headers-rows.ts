import { inspect } from 'node:util';
import { any, each, pairs, type Row } from './row.ts';

const NAMES = ['', ' ', 'a b', 'a:b', 'a\n', 'é', '☃', 'a"', '(a)', "!#$%&'*+-.^_`|~", '0', 'A-B'];
const VALUES = [
  '',
  ' ',
  ' a ',
  '\ta\t',
  '\n a\r\n',
  'a\nb',
  'a\rb',
  'a\0b',
  '\0',
  '\x7f',
  '\x01',
  'é',
  '\xff',
  '\x80',
  'Ā',
  '☃',
  '\ud800',
  'a  b',
  '\xa0a\xa0',
  '\fa',
  '\va',
];

/** Headers: how they are made, asked, changed and gone through. */
export const headersRows: readonly Row[] = [
  {
    name: 'headers: of nothing',
    run: ({ Headers }) => [pairs(new Headers()), pairs(new Headers(undefined))],
  },
  { name: 'headers: of null', run: ({ Headers }) => new Headers(any(null)) },
  {
    name: 'headers: of what is no object',
    run: ({ Headers }) => each([1, 'ab', true, Symbol('a'), 1n], (init) => pairs(new Headers(any(init)))),
  },
  {
    name: 'headers: of an object that is neither record nor pairs',
    run: ({ Headers }) =>
      each([() => 1, new Date(0), /a/, new Map([['a', 'b']]), new Set(['ab'])], (init) =>
        pairs(new Headers(any(init))),
      ),
  },
  { name: 'headers: of a record', run: ({ Headers }) => pairs(new Headers({ B: '2', a: '1', 'X-C': '' })) },
  {
    name: 'headers: of a record whose names differ in case only',
    run: ({ Headers }) => pairs(new Headers({ A: '1', a: '2', cookie: 'x', Cookie: 'y' })),
  },
  {
    name: 'headers: of a record with values that are no strings',
    run: ({ Headers }) =>
      pairs(
        new Headers(any({ a: 1, b: null, c: undefined, d: true, e: [1, 2], f: { toString: () => 'f' } })),
      ),
  },
  {
    name: 'headers: of a record with a symbol',
    run: ({ Headers }) =>
      each(
        [{ [Symbol('a')]: 'b' }, { a: Symbol('b') }, Object.defineProperty({}, Symbol('c'), { value: 'd' })],
        (init) => pairs(new Headers(any(init))),
      ),
  },
  {
    name: 'headers: of a record without prototype, or with inherited members',
    run: ({ Headers }) => {
      const bare = Object.assign(Object.create(null) as object, { a: '1' });
      return each([bare, Object.create({ a: '1' }) as object], (init) => pairs(new Headers(any(init))));
    },
  },
  {
    name: 'headers: of a record with members that are not enumerable',
    run: ({ Headers }) => pairs(new Headers(any(Object.defineProperty({ a: '1' }, 'b', { value: '2' })))),
    differs: 'the standard leaves them out, Node takes them',
    ours: [['a', '1']],
  },
  {
    name: 'headers: of a record with a member named __proto__',
    run: ({ Headers }) => pairs(new Headers({ ['__proto__']: 'v' })),
    differs: 'a name like any other to the standard, Node loses it',
    ours: [['__proto__', 'v']],
  },
  {
    name: 'headers: told as they were written',
    run: ({ Headers }) => inspect(new Headers({ B: '2', A: '1' })),
    differs: 'ours are told as they are listed: by name, in lower case',
    ours: "Headers { a: '1', b: '2' }",
  },
  {
    name: 'headers: of a record whose getter throws',
    run: ({ Headers }) =>
      new Headers({
        get a(): string {
          throw new RangeError('no');
        },
      }),
  },
  {
    name: 'headers: of a record that has been made iterable',
    run: ({ Headers }) =>
      each([undefined, null, 1, [][Symbol.iterator]], (iterator) =>
        pairs(new Headers(any({ a: '1', [Symbol.iterator]: iterator }))),
      ),
  },
  {
    name: 'headers: of pairs',
    run: ({ Headers }) =>
      pairs(
        new Headers([
          ['b', '1'],
          ['A', '2'],
          ['B', '3'],
        ]),
      ),
  },
  {
    name: 'headers: of pairs that are none',
    run: ({ Headers }) =>
      each(
        [[[]], [['a']], [['a', 'b', 'c']], ['ab'], [1], [null], [undefined], [new Set(['a', 'b'])]],
        (init) => pairs(new Headers(any(init))),
      ),
  },
  {
    name: 'headers: of other iterables',
    run: ({ Headers }) => [
      pairs(new Headers(any(new Map([['a', 'b']]).entries()))),
      pairs(new Headers(any(new URLSearchParams('a=b&c=d')))),
      pairs(
        new Headers(
          any(
            (function* (): Generator<[string, string]> {
              yield ['a', 'b'];
            })(),
          ),
        ),
      ),
    ],
  },
  {
    name: 'headers: of headers, which stay apart',
    run: ({ Headers }) => {
      const first = new Headers({ a: '1', 'set-cookie': 'x' });
      first.append('set-cookie', 'y');
      const second = new Headers(first);
      second.set('a', '2');
      first.delete('set-cookie');
      return [pairs(first), pairs(second), second.getSetCookie()];
    },
  },
  {
    name: 'headers: a wrong name in a record or a pair',
    run: ({ Headers }) =>
      each(NAMES, (name) => [pairs(new Headers({ [name]: 'v' })), pairs(new Headers([[name, 'v']]))]),
  },
  {
    name: 'headers: a wrong value in a record or a pair',
    run: ({ Headers }) =>
      each(VALUES, (value) => [pairs(new Headers({ a: value })), pairs(new Headers([['a', value]]))]),
  },
  {
    name: 'headers: append with each name',
    run: ({ Headers }) =>
      each(NAMES, (name) => {
        const headers = new Headers();
        headers.append(name, 'v');
        return pairs(headers);
      }),
  },
  {
    name: 'headers: append with each value',
    run: ({ Headers }) =>
      each(VALUES, (value) => {
        const headers = new Headers({ a: 'b' });
        headers.append('a', value);
        return pairs(headers);
      }),
  },
  {
    name: 'headers: set with each name',
    run: ({ Headers }) =>
      each(NAMES, (name) => {
        const headers = new Headers();
        headers.set(name, 'v');
        return pairs(headers);
      }),
  },
  {
    name: 'headers: set with each value',
    run: ({ Headers }) =>
      each(VALUES, (value) => {
        const headers = new Headers({ a: 'b' });
        headers.set('a', value);
        return headers.get('A');
      }),
  },
  {
    name: 'headers: get with each name',
    run: ({ Headers }) => each(NAMES, (name) => new Headers({ 0: 'v' }).get(name)),
  },
  {
    name: 'headers: has with each name',
    run: ({ Headers }) => each(NAMES, (name) => new Headers({ 0: 'v' }).has(name)),
  },
  {
    name: 'headers: delete with each name',
    run: ({ Headers }) =>
      each(NAMES, (name) => {
        const headers = new Headers({ 0: 'v', a: 'b' });
        headers.delete(name);
        return pairs(headers);
      }),
  },
  {
    name: 'headers: what was refused changes nothing',
    run: async ({ Headers }) => {
      const headers = new Headers({ a: 'b' });
      const outcomes = await each(['a b', 'é'], (name) => headers.set(name, 'x'));
      return [outcomes, await each(['a\nb', '☃'], (value) => headers.set('a', value)), pairs(headers)];
    },
  },
  {
    name: 'headers: too few arguments',
    run: ({ Headers }) => {
      const headers = new Headers();
      const call = (
        name: 'append' | 'set' | 'get' | 'has' | 'delete' | 'forEach',
        ...args: unknown[]
      ): unknown => (headers[name] as (...args: unknown[]) => unknown)(...args);
      return each(
        [
          () => call('append'),
          () => call('append', 'a'),
          () => call('set'),
          () => call('set', 'a'),
          () => call('get'),
          () => call('has'),
          () => call('delete'),
          () => call('forEach'),
          () => call('forEach', 1),
        ],
        (run) => run(),
      );
    },
  },
  {
    name: 'headers: names and values are converted to strings',
    run: ({ Headers }) => {
      const headers = new Headers();
      headers.append(any(1), any(2));
      headers.set(any(null), any(undefined));
      headers.set('o', any({ toString: () => ' o ' }));
      return [pairs(headers), headers.get(any(1)), headers.has(any(null)), headers.get(any(undefined))];
    },
  },
  {
    name: 'headers: names that are symbols',
    run: ({ Headers }) =>
      each(['get', 'has', 'delete'] as const, (name) => new Headers()[name](any(Symbol('a')))),
  },
  {
    name: 'headers: what a converted name deleted is gone after it was listed',
    run: ({ Headers }) => {
      const headers = new Headers({ a: '1' });
      const before = pairs(headers);
      headers.delete(any({ toString: () => 'A' }));
      return [before, pairs(headers), headers.has('a')];
    },
  },
  {
    name: 'headers: names in any case are the same',
    run: ({ Headers }) => {
      const headers = new Headers({ 'Content-Type': 'a' });
      headers.append('CONTENT-TYPE', 'b');
      const joined = headers.get('content-type');
      headers.delete('cOnTeNt-TyPe');
      return [joined, headers.has('Content-Type')];
    },
  },
  {
    name: 'headers: repeated ones are empty ones too',
    run: ({ Headers }) => {
      const headers = new Headers();
      for (const value of ['', 'a', '', 'b, c']) headers.append('x', value);
      return headers.get('x');
    },
  },
  {
    name: 'headers: cookies are joined with a semicolon',
    run: ({ Headers }) => {
      const headers = new Headers({ cookie: 'a=1' });
      headers.append('Cookie', 'b=2');
      return headers.get('cookie');
    },
  },
  {
    name: 'headers: set takes the place of all before',
    run: ({ Headers }) => {
      const headers = new Headers({ z: '0' });
      headers.append('x', '1');
      headers.append('x', '2');
      headers.set('X', '3');
      return pairs(headers);
    },
  },
  {
    name: 'headers: get of what is not there',
    run: ({ Headers }) => [new Headers().get('a'), new Headers().get('set-cookie'), new Headers().has('a')],
  },
  { name: 'headers: delete of what is not there', run: ({ Headers }) => new Headers().delete('a') },
  {
    name: 'headers: nothing is returned of changes',
    run: ({ Headers }) => {
      const headers = new Headers();
      return [headers.append('a', 'b'), headers.set('a', 'b'), headers.delete('a')];
    },
  },
  {
    name: 'headers: set-cookie stays apart',
    run: ({ Headers }) => {
      const headers = new Headers([
        ['set-cookie', 'b=1'],
        ['x', 'y'],
        ['Set-Cookie', 'a=2; Expires=Thu, 01 Jan'],
      ]);
      return [pairs(headers), headers.getSetCookie(), headers.get('Set-Cookie')];
    },
  },
  {
    name: 'headers: set-cookie set, had and deleted',
    run: ({ Headers }) => {
      const headers = new Headers();
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'a=2');
      const had = headers.has('SET-COOKIE');
      headers.set('set-cookie', 'a=3');
      const set = headers.getSetCookie();
      headers.delete('Set-Cookie');
      return [had, set, headers.getSetCookie(), headers.has('set-cookie')];
    },
  },
  {
    name: 'headers: set-cookie empty, trimmed, refused',
    run: ({ Headers }) =>
      each(['', ' a ', 'a\nb', '☃'], (value) => {
        const headers = new Headers([['set-cookie', value]]);
        headers.append('set-cookie', value);
        return [headers.getSetCookie(), headers.get('set-cookie'), headers.has('set-cookie')];
      }),
  },
  {
    name: 'headers: what getSetCookie gave is a copy',
    run: ({ Headers }) => {
      const headers = new Headers({ 'set-cookie': 'a' });
      headers.getSetCookie().push('b');
      return headers.getSetCookie();
    },
  },
  {
    name: 'headers: set-cookie2 is like any other',
    run: ({ Headers }) => {
      const headers = new Headers({ 'set-cookie2': 'a' });
      headers.append('set-cookie2', 'b');
      return [headers.getSetCookie(), pairs(headers)];
    },
  },
];
