import assert from 'node:assert/strict';
import type { Told } from './probes/told.ts';
import type { Scenario } from './scenario.ts';

interface Expected {
  readonly code: string;
  /** What the message must hold, besides the request. */
  readonly says: RegExp;
}

/** One clear error each, on the caller's side, that names the callee and the request. */
const ERRORS: Readonly<Record<string, Expected>> = {
  'unknown-component': { code: 'call-unknown-component', says: /helpre.*helper/s },
  'unknown-function': { code: 'call-unknown-function', says: /"bcak" of component "helper" .*`back`/s },
  'private-function': { code: 'call-unknown-function', says: /"secretly" of component "helper" / },
  'handler-as-function': {
    code: 'call-unknown-function',
    says: /"fetch" of component "helper" .*service binding/s,
  },
  'not-allowed': { code: 'call-not-allowed', says: /hermit.*mortal/s },
  'not-allowed-beside': { code: 'call-not-allowed', says: /hermit.*off/s },
  circle: { code: 'call-cycle', says: /ring-a.turn.*ring-b.turn.*ring-a.turn/s },
  'too-deep': { code: 'call-too-deep', says: /32/ },
  'passes-function': {
    code: 'call-not-cloneable',
    says: /"back" of component "helper" .*\[0\]\.list\[1\]\.here/s,
  },
  'passes-promise': { code: 'call-not-cloneable', says: /"back" of component "helper" .*arguments\[0\]/s },
  'returns-function': {
    code: 'call-not-cloneable',
    says: /"returnsFunction" of component "helper" .*result\.deep\[1\]\.here/s,
  },
  hangs: { code: 'timeout', says: /"hangs" of component "sloth" / },
  'switched-off': { code: 'switched-off', says: /"back" of component "off" / },
  'request-to-no-handler': { code: 'handler-missing', says: /"pricing" .*`fetch`/s },
  'request-not-allowed': { code: 'call-not-allowed', says: /"hermit" may not call "asker"/ },
  'request-to-nobody': { code: 'call-unknown-component', says: /helpre.*helper/s },
  dies: { code: 'instance-crashed', says: /"dies" of component "mortal" / },
};

/** What comes of calls that go well, whatever they carry. */
const VALUES: Readonly<Record<string, unknown>> = {
  values: [
    ['1'],
    '1970-01-01T00:00:00.000Z',
    ['Uint8Array', 1, 2, 3],
    [true, false, 3],
    true,
    '/a+/gi',
    { name: 'TypeError', message: 'carried', code: 'E_CARRIED', retryAfterS: null, cause: null },
    true,
  ],
  'own-copies': { given: { list: [1] }, came: { list: [1, 0, 9] } },
  allowed: 'heard',
  'no-circle': 'there and here',
  'deep-enough': 31,
  'request-to-module': [200, 'application/json', { method: 'PUT', path: '/a/b', body: 'xy' }],
  'request-to-command': [200, 200, '2', 404, 'Not here.'],
  'dies-once': ['the second time', 1],
  context: ['helper', true, true],
  signal: 'Error: enough',
  'signal-before': 'before',
};

const thrownBy = (came: unknown): Told => (came as { thrown: Told }).thrown;

export const CALLS: readonly Scenario[] = [
  ...Object.entries(ERRORS).map(([name, { code, says }]): Scenario => ({
    name: `${name}: ${code}`,
    async take(visitor) {
      const thrown = thrownBy(await visitor.probe(name));
      assert.deepEqual([thrown.name, thrown.code], ['FulcrumError', code], JSON.stringify(thrown));
      assert.match(thrown.message, says);
      assert.match(thrown.message, /\(request r_/);
    },
  })),
  ...Object.entries(VALUES).map(([name, value]): Scenario => ({
    name: `a call that goes well: ${name}`,
    async take(visitor) {
      assert.deepEqual(await visitor.probe(name), { value });
    },
  })),
  {
    name: 'an error keeps its name, message, code and cause',
    async take(visitor) {
      assert.deepEqual(thrownBy(await visitor.probe('fails')), {
        name: 'RangeError',
        message: 'out of range',
        code: 'E_RANGE',
        retryAfterS: null,
        cause: {
          name: 'TypeError',
          message: 'the root of it',
          code: 'E_ROOT',
          retryAfterS: null,
          cause: null,
        },
      });
      assert.deepEqual(await visitor.probe('request-fails'), await visitor.probe('fails'));
      await visitor.probe('fails-oddly');
      await visitor.probe('inherited-function');
    },
  },
  {
    name: 'what a handler lets through is a problem document',
    async take(visitor) {
      const answer = async (name: string): Promise<[number, string]> => {
        const { status, text } = await visitor.get(`/probe/${name}?through`);
        return [status, (JSON.parse(text) as { type: string }).type.split('/').at(-1)!];
      };
      assert.deepEqual(await answer('fails'), [500, 'handler-error']);
      assert.deepEqual(await answer('circle'), [500, 'handler-error']);
      assert.deepEqual(await answer('switched-off'), [503, 'call-refused']);
      assert.deepEqual(await answer('switched-off-behind'), [503, 'call-refused']);
    },
  },
  {
    name: 'streams go both ways, and end as they end where they come from',
    async take(visitor) {
      const counted = Array.from({ length: 2_000 }, (_, i) => `${i + 1} `).join('');
      assert.ok(((await visitor.probe('stream-back')) as { value: unknown }).value === counted);
      assert.deepEqual(await visitor.probe('stream-there'), {
        value: { length: counted.length, locked: true },
      });
      const { value } = (await visitor.probe('stream-fails')) as { value: unknown[] };
      assert.deepEqual(value.slice(0, 2), ['1 ', '2 ']);
      assert.deepEqual(value.length, 3);
      assert.match(JSON.stringify(value[2]), /RangeError.*no third/);
    },
  },
  {
    name: 'a caller that goes away takes along what it has called',
    async take(visitor) {
      const lingered = (): Promise<unknown> => visitor.probe('lingered');
      const leaves = new AbortController();
      const left = visitor.leaveAt('/probe/lingers', leaves.signal);
      await visitor.until('the call', lingered, (came) => (came as { value: string }).value !== '');
      leaves.abort();
      await left;
      // Long before its time is over it is told.
      await visitor.until('the end', lingered, (came) => (came as { value: string }).value === 'begun left');
    },
  },
  {
    name: 'a callee that dies each time is begun three times if it is idempotent, once if it is not, and the caller is told once',
    async take(visitor) {
      for (const [name, times] of [
        ['dies-always', 3],
        ['dies-unmarked', 1],
      ] as const) {
        const { value } = (await visitor.probe(name)) as { value: [Told, number] };
        const [thrown, deaths] = value;
        assert.deepEqual([name, thrown.code, deaths], [name, 'instance-crashed', times]);
        assert.match(thrown.message, /mortal-.*\(request r_/);
      }
    },
  },
  {
    name: 'a callee that dies in mid-stream: the stream fails, and says who',
    async take(visitor) {
      const { value } = (await visitor.probe('dies-in-mid-stream')) as { value: [unknown, Told] };
      const [first, thrown] = value;
      assert.equal(first, 'the first part');
      assert.equal(thrown.code, 'instance-crashed');
      assert.match(thrown.message, /mortal-midway.*r_/s);
    },
  },
];
