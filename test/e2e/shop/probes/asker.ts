import { binding, use, type ComponentModule, type Context, type Env } from 'fulcrum';
import { told } from './told.ts';

const helper = use<typeof import('./helper.ts')>('helper');
const hermit = use<typeof import('./hermit.ts')>('hermit');
const mortal = use<typeof import('./mortal.ts')>('mortal');
const mortalOnce = use<typeof import('./mortal.ts')>('mortal-once');
const mortalAlways = use<typeof import('./mortal.ts')>('mortal-always');
const mortalUnmarked = use<typeof import('./mortal.ts')>('mortal-unmarked');
const mortalMidway = use<typeof import('./mortal.ts')>('mortal-midway');
const ring = use<typeof import('./ring-a.ts')>('ring-a');
const sloth = use<typeof import('./helper.ts')>('sloth');
const off = use<typeof import('./helper.ts')>('off');
const ladder = use<Record<string, (...args: unknown[]) => Promise<unknown>>>('ladder-a');
const nothing = use<Record<string, (...args: unknown[]) => Promise<unknown>>>('helper');
const nobody = use<Record<string, (...args: unknown[]) => Promise<unknown>>>('helpre');

type AskersEnv = Env<never, 'helper' | 'account' | 'pricing'>;

/** What is asked for by a path, `/probe/NAME`. */
const ASKS: Readonly<Record<string, (ctx: Context, env: AskersEnv) => Promise<unknown>>> = {
  async values() {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const sent = {
      map: new Map([['a', new Set([1n])]]),
      at: new Date(0),
      bytes: new Uint8Array([1, 2, 3]),
      nothing: undefined,
      hole: [1, , 3], // oxlint-disable-line no-sparse-arrays
      minus: -0,
      words: /a+/gi,
      error: Object.assign(new TypeError('carried'), { code: 'E_CARRIED' }),
      circle,
    };
    const came = (await helper.back(sent)) as typeof sent;
    return [
      [...came.map.get('a')!].map(String),
      came.at.toISOString(),
      [came.bytes.constructor.name, ...came.bytes],
      ['nothing' in came, 1 in came.hole, came.hole.length],
      Object.is(came.minus, -0),
      String(came.words),
      told(came.error),
      came.circle.self === came.circle && came.circle !== circle,
    ];
  },
  async 'own-copies'() {
    const given = { list: [1] };
    const came = await helper.changes(given);
    came.list.push(9);
    return { given, came };
  },
  fails: () => helper.fails(),
  'fails-oddly': () => helper.failsWith('a word'),
  'returns-function': () => helper.returnsFunction(),
  'passes-function': () => helper.back({ list: [1, { here: () => 1 }] }),
  'passes-promise': () => helper.back(Promise.resolve(1)),
  'unknown-component': () => nobody['back']!(1),
  'unknown-function': () => nothing['bcak']!(1),
  'private-function': () => nothing['secretly']!(),
  'handler-as-function': () => nothing['fetch']!(),
  'inherited-function': () => nothing['hasOwnProperty']!('back'),
  'not-allowed': () => hermit.ask('mortal'),
  'not-allowed-beside': () => hermit.ask('off'),
  allowed: () => hermit.ask('helper'),
  circle: () => ring.turn(),
  'no-circle': () => ring.there(),
  'deep-enough': () => ladder['rung1']!('ladder-a', 1, 31),
  'too-deep': () => ladder['rung1']!('ladder-a', 1, 100),
  hangs: () => sloth.hangs(),
  'switched-off': () => off.back(1),
  'switched-off-behind': () => helper.refused(),
  dies: () => mortal.dies(),
  async 'dies-once'() {
    return [await mortalOnce.diesOnce(), await mortalOnce.deaths('once')];
  },
  async 'dies-always'() {
    return [await mortalAlways.diesAlways().catch(told), await mortalAlways.deaths('always')];
  },
  async 'dies-unmarked'() {
    return [await mortalUnmarked.diesUnmarked().catch(told), await mortalUnmarked.deaths('unmarked')];
  },
  async 'request-to-module'(_ctx, env) {
    const answer = await env.helper.fetch('/a/b?c=1', {
      method: 'PUT',
      body: new Blob(['x', 'y']).stream(),
      duplex: 'half',
    });
    return [answer.status, answer.headers.get('content-type'), await answer.json()];
  },
  async 'request-to-command'(_ctx, env) {
    const answer = await env.account.fetch('/account/');
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    const again = await env.account.fetch(new Request('http://shop.test/account/', { headers: { cookie } }));
    const text = await again.text();
    const nowhere = await env.account.fetch('/account/nowhere');
    return [
      answer.status,
      again.status,
      /<strong>(\d+)</.exec(text)?.[1],
      nowhere.status,
      await nowhere.text(),
    ];
  },
  'request-fails': (_ctx, env) => env.helper.fetch('/fails'),
  'request-to-no-handler': (_ctx, env) => env.pricing.fetch('/'),
  'request-not-allowed': () => hermit.request(),
  'request-to-nobody': () => binding('helpre').fetch('/'),
  async 'dies-in-mid-stream'() {
    const now = new AbortController();
    const reader = (await mortalMidway.diesInMidStream(now.signal)).getReader();
    const first = (await reader.read()).value;
    now.abort();
    return [first, await reader.read().then(String, told)];
  },
  async 'stream-back'() {
    return await new Response(await helper.counts(2_000)).text();
  },
  async 'stream-there'() {
    const stream = await helper.counts(2_000);
    const length = (await helper.reads(stream)).length;
    return { length, locked: stream.locked };
  },
  async 'stream-fails'() {
    const reader = (await helper.countsAndFails()).getReader();
    const parts: unknown[] = [];
    for (;;) {
      const part = await reader.read().catch((error: unknown) => ({ done: true, value: told(error) }));
      parts.push(part.value instanceof Uint8Array ? new TextDecoder().decode(part.value) : part.value);
      if (part.done) return parts;
    }
  },
  async signal() {
    const controller = new AbortController();
    const waits = helper.waitsFor(controller.signal);
    setImmediate(() => controller.abort(new Error('enough')));
    return await waits;
  },
  async context(ctx) {
    const leftMs = ctx.remainingMs();
    const { component, requestId, remainingMs } = await helper.knows();
    return [component, requestId === ctx.requestId, remainingMs <= leftMs];
  },
  lingers: () => helper.lingers(),
  lingered: () => helper.lingered(),
  'signal-before': () => helper.waitsFor(AbortSignal.abort('before')),
};

export default {
  /** `?through`: what is thrown is let through. */
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    const ask = ASKS[pathname.slice('/probe/'.length)];
    if (ask === undefined) return new Response('Not here.', { status: 404 });
    try {
      return Response.json({ value: (await ask(ctx, env)) ?? null });
    } catch (error) {
      if (searchParams.has('through')) throw error;
      return Response.json({ thrown: told(error) });
    }
  },
} satisfies ComponentModule<AskersEnv>;
