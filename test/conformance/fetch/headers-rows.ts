import { inspect } from 'node:util';
import { any, each, pairs, type Row } from './row.ts';

const NAMES = [
  '',
  ' ',
  'a b',
  'a:b',
  'a\n',
  'é',
  '☃',
  'a"',
  '(a)',
  "!#$%&'*+-.^_`|~",
  '0',
  'A-B',
  '__proto__',
];
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
    name: 'headers: of a record without prototype, with inherited or hidden members',
    run: ({ Headers }) => {
      const hidden = Object.defineProperty({ a: '1' }, 'b', { value: '2' });
      const bare = Object.assign(Object.create(null) as object, { a: '1' });
      return each([hidden, bare, Object.create({ a: '1' }) as object], (init) =>
        pairs(new Headers(any(init))),
      );
    },
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
          (function* (): Generator<[string, string]> {
            yield ['a', 'b'];
          })(),
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
    name: 'headers: repeated ones are joined, empty ones too',
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
  {
    name: 'headers: listed by name',
    run: ({ Headers }) =>
      pairs(new Headers({ c: '1', B: '2', 'a-b': '3', a: '4', _: '5', '1': '6', ab: '7', '~': '8' })),
  },
  {
    name: 'headers: keys, values, entries and themselves',
    run: ({ Headers }) => {
      const headers = new Headers({ b: '2', a: '1', 'set-cookie': 'x' });
      headers.append('set-cookie', 'y');
      return [[...headers.keys()], [...headers.values()], [...headers.entries()], [...headers]];
    },
  },
  {
    name: 'headers: gone through by the same function as their entries',
    run: ({ Headers }) => Headers.prototype[Symbol.iterator] === Headers.prototype.entries,
  },
  {
    name: 'headers: their iterator',
    run: ({ Headers }) => {
      const iterator = new Headers({ a: '1', b: '2' }).keys();
      const first = iterator.next();
      const tag = Object.prototype.toString.call(iterator);
      const members = ['return', 'throw', 'next'].map((name) => typeof Reflect.get(iterator, name));
      return [first, tag, members, [...iterator], iterator.next(), iterator[Symbol.iterator]() === iterator];
    },
  },
  {
    name: 'headers: a loop that was left is gone on with',
    run: ({ Headers }) => {
      const iterator = new Headers({ a: '1', b: '2', c: '3' }).keys();
      for (const name of iterator) if (name === 'a') break;
      return [...iterator];
    },
  },
  {
    name: 'headers: their iterator is one of all iterators',
    run: ({ Headers }) => {
      const iterator = new Headers({ a: '1', b: '2' }).values();
      return [iterator instanceof Iterator, [...iterator.map((value) => Number(value) + 1)]];
    },
  },
  {
    name: 'headers: the pairs that were listed are copies',
    run: ({ Headers }) => {
      const headers = new Headers({ a: '1' });
      for (const pair of headers) pair[1] = 'changed';
      return pairs(headers);
    },
  },
  {
    name: 'headers: what is added behind comes in the same loop',
    run: ({ Headers }) => {
      const headers = new Headers({ a: '1', c: '3' });
      const seen: string[] = [];
      for (const [name] of headers) {
        if (seen.push(name) === 1) headers.append('d', '4');
      }
      return seen;
    },
  },
  {
    name: 'headers: what is added before shifts the loop',
    run: ({ Headers }) => {
      const headers = new Headers({ b: '1', c: '3' });
      const seen: string[] = [];
      for (const [name] of headers) {
        if (seen.push(name) === 1) headers.append('a', '4');
      }
      return seen;
    },
  },
  {
    name: 'headers: what is deleted in a loop does not come',
    run: ({ Headers }) =>
      each(['a', 'b', 'c'], (gone) => {
        const headers = new Headers({ a: '1', b: '2', c: '3', d: '4' });
        const seen: string[] = [];
        for (const [name] of headers) {
          if (seen.push(name) === 2) headers.delete(gone);
        }
        return seen;
      }),
  },
  {
    name: 'headers: an iterator that has ended goes on when more is added',
    run: ({ Headers }) => {
      const headers = new Headers({ a: '1' });
      const iterator = headers.keys();
      const seen = [iterator.next(), iterator.next()];
      headers.set('b', '2');
      return [...seen, iterator.next()];
    },
  },
  {
    name: 'headers: forEach gives value, name and themselves',
    run: ({ Headers }) => {
      const headers = new Headers({ b: '2', a: '1' });
      const seen: unknown[] = [];
      headers.forEach((value, name, all) => seen.push([value, name, all === headers]));
      return seen;
    },
  },
  {
    name: 'headers: forEach with and without this',
    run: ({ Headers }) => {
      const seen: unknown[] = [];
      const note = function (this: unknown): void {
        seen.push(this === globalThis ? 'global' : this);
      };
      const headers = new Headers({ a: '1' });
      headers.forEach(note);
      headers.forEach(note, undefined);
      headers.forEach(note, 7);
      return seen;
    },
  },
  {
    name: 'headers: forEach lets through what is thrown, and what is changed',
    run: ({ Headers }) => {
      const headers = new Headers({ a: '1', b: '2' });
      const seen: string[] = [];
      headers.forEach((_, name) => {
        seen.push(name);
        headers.delete('b');
      });
      return each([seen], (names) => {
        headers.forEach(() => {
          throw new RangeError(names.join());
        });
      });
    },
  },
  {
    name: 'headers: their tag and how they are told',
    run: ({ Headers }) => {
      const headers = new Headers({ b: '2', a: '1', 'set-cookie': 'x' });
      return [
        Object.prototype.toString.call(headers),
        String(headers),
        inspect(headers),
        inspect({ at: { headers } }),
      ];
    },
  },
  {
    name: 'headers: told in color and to no depth',
    run: ({ Headers }) => {
      const headers = new Headers({ a: '1' });
      return [inspect(headers, { colors: true }), inspect({ a: { b: headers } }, { depth: 0 })];
    },
  },
  {
    name: 'headers: the class itself',
    run: ({ Headers }) => {
      const listed: string[] = [];
      for (const name in new Headers({ a: '1' })) listed.push(name);
      return [Headers.name, Headers.length, listed.toSorted(), Object.keys(Headers.prototype).toSorted()];
    },
  },
  {
    name: 'headers: the lengths of the methods',
    run: ({ Headers }) =>
      (['append', 'set', 'get', 'has', 'delete', 'forEach', 'keys', 'entries', 'getSetCookie'] as const).map(
        (name) => [Headers.prototype[name].name, Headers.prototype[name].length],
      ),
  },
  {
    name: 'headers: methods of others, and the class without new',
    run: ({ Headers }) =>
      each(
        [
          () => Headers.prototype.get.call(any({}), 'a'),
          () => Headers.prototype.entries.call(any({})),
          () => Headers.prototype.forEach.call(any({}), () => undefined),
          () => Headers.prototype.getSetCookie.call(any(null)),
          () => (Headers as unknown as () => void)(),
        ],
        (run) => run(),
      ),
  },
  {
    name: 'headers: instanceof for what is and what is not',
    run: ({ Headers, fetch }) => {
      const values = [new Headers(), {}, null, 1, Headers.prototype, fetch];
      return values.map((value) => (value as unknown) instanceof Headers);
    },
  },
  {
    name: 'headers: those of Node and of the app are instances of either',
    run: ({ Headers, Request }) => [
      new Request('http://a.test/').headers instanceof Headers,
      new Request('http://a.test/').headers instanceof globalThis.Headers,
      new Headers() instanceof globalThis.Headers,
      new Request('http://a.test/').headers.constructor.name,
    ],
  },
  {
    name: 'headers: a subclass',
    run: ({ Headers }) => {
      class Mine extends Headers {
        override get(name: string): string | null {
          return super.get(name)?.toUpperCase() ?? null;
        }
      }
      const mine = new Mine({ a: 'x' });
      return [
        mine.get('a'),
        mine instanceof Headers,
        mine instanceof Mine,
        new Headers() instanceof Mine,
        pairs(mine),
      ];
    },
  },
  {
    name: 'headers: into a request and back',
    run: ({ Headers, Request }) => {
      const headers = new Headers({ 'X-A': '1', cookie: 'a=b' });
      headers.append('x-a', '2');
      const request = new Request('http://a.test/', { headers });
      return [pairs(request), pairs(new Headers(request.headers))];
    },
  },
  {
    name: 'headers: to plain data',
    run: ({ Headers }) => {
      const headers = new Headers({ b: '2', a: '1' });
      const spread: object = { ...headers };
      return [Object.fromEntries(headers), JSON.stringify(headers), Object.keys(headers), spread];
    },
  },
  { name: 'headers: cannot be cloned', run: ({ Headers }) => structuredClone(new Headers({ a: '1' })) },
  {
    name: 'headers: many',
    run: ({ Headers }) => {
      const headers = new Headers();
      for (let i = 0; i < 300; i++) headers.append(`x-${(i * 7) % 100}`, String(i));
      return pairs(headers);
    },
  },
];
