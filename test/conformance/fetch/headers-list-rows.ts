import { inspect } from 'node:util';
import { any, each, pairs, type Row } from './row.ts';

/** Headers: how they are gone through, and what their class is. */
export const headersListRows: readonly Row[] = [
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
      const headers = new Headers({ a: '1', b: '2', 'set-cookie': 'x' });
      return [
        Object.prototype.toString.call(headers),
        String(any(headers)),
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
      class Mine extends Headers {}
      Object.defineProperty(Mine.prototype, 'get', {
        value(this: Headers, name: string): string {
          return `mine ${String(Headers.prototype.get.call(this, name))}`;
        },
      });
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
      const assigned: object = Object.assign({}, headers);
      return [Object.fromEntries(headers), JSON.stringify(headers), Object.keys(headers), assigned];
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
