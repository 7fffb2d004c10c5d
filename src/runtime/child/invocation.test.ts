import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepOf } from '../../model/call-rules.ts';
import { InvocationScope, scopes, type Scope } from './invocation.ts';

const lines: { readonly member: string | null; readonly text: string }[] = [];
const host = { report: (scope: Scope, text: string) => void lines.push({ member: scope.member, text }) };

function invocation(remainingMs = 60_000): InvocationScope {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const of = { component: 'cart', member: 'cart', step: null };
  return new InvocationScope({ host, stream: 1, requestId: 'r_1', remainingMs, traceparent, ...of });
}

function called(caller: InvocationScope, component = 'stock', remainingMs = 60_000): InvocationScope {
  const wanted = { from: caller.component, to: component, function: 'f', by: caller.step, requestId: 'r_1' };
  const of = { component, member: component, step: stepOf(wanted), caller };
  return new InvocationScope({ host, stream: 1, requestId: 'r_1', remainingMs, traceparent: '', ...of });
}

const outcomeOf = async (promise: Promise<unknown>): Promise<string> => {
  const next = Promise.withResolvers<string>();
  setImmediate(() => next.resolve('waits'));
  return await Promise.race([promise.then(() => 'settled'), next.promise]);
};

test('an abort reaches all that was called, each with a signal and a scope of its own', () => {
  const root = invocation();
  const [one, two] = [called(root), called(root)];
  const below = called(one, 'cart');
  const heard: (string | null | undefined)[] = [];
  for (const scope of [root, one, below])
    scope.signal.addEventListener('abort', () => heard.push(scopes.getStore()?.member));
  two.end();
  root.abort('client-gone');
  assert.deepEqual(heard, ['cart', 'stock', 'cart']);
  assert.deepEqual([below.aborted!.code, two.aborted], ['client-gone', null]);
  // Whoever asks later gets a signal that says so.
  const late = called(root);
  assert.equal(late.aborted, null);
  assert.ok((below.signal.reason as Error).name === 'AbortError' && root.signal.aborted);
});

test('an abort of what was called harms neither its caller nor what stands beside it', () => {
  const root = invocation();
  const [one, two] = [called(root), called(root)];
  one.abort('timeout');
  assert.deepEqual([root.aborted, two.aborted, one.aborted!.code], [null, null, 'timeout']);
  assert.match(one.aborted!.message, /^Component "stock" did not answer within 60000 ms\./);
});

test('a signal that is asked for when it is too late has aborted', () => {
  const root = invocation();
  root.abort('timeout');
  assert.equal((root.signal.reason as Error).name, 'TimeoutError');
});

test('an invocation is settled when what it called is over, and all that was given to waitUntil', async () => {
  const root = invocation();
  const one = called(root);
  const work = Promise.withResolvers<void>();
  one.context.waitUntil(work.promise);
  assert.deepEqual([root.waits, root.waitsUntil, one.waitsUntil], [true, true, true]);
  const settled = root.settled();
  one.end();
  assert.equal(await outcomeOf(settled), 'waits');
  // It is over, and what it has begun hears of an abort all the same.
  root.abort('timeout');
  assert.equal(one.aborted!.code, 'timeout');
  work.reject(new Error('too late'));
  assert.equal(await outcomeOf(settled), 'settled');
  assert.equal(lines.at(-1)!.member, 'stock');
  assert.match(lines.at(-1)!.text, /waitUntil was rejected: Error: too late/);
});

test('a call that nobody awaits keeps the invocation, but is nothing that it was asked to wait for', async () => {
  const root = invocation();
  const one = called(root);
  assert.deepEqual([root.waits, root.waitsUntil], [true, false]);
  one.end();
  one.end();
  assert.equal(root.waits, false);
  assert.equal(await outcomeOf(root.settled()), 'settled');
});

test('what is over is told of nothing, wherever it stands in the list', () => {
  const root = invocation();
  const all = Array.from({ length: 5 }, () => called(root));
  for (const i of [2, 4, 0]) all[i]!.end();
  root.abort('client-gone');
  assert.deepEqual(
    all.map(({ aborted }) => aborted !== null),
    [false, true, false, true, false],
  );
});

test('what was called has a span of its own in the same trace', () => {
  const root = invocation();
  const [one, two] = [called(root), called(root)];
  const pattern = /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/;
  assert.match(one.span.traceparent, pattern);
  assert.match(two.span.traceparent, pattern);
  assert.notEqual(one.span.traceparent, two.span.traceparent);
  assert.deepEqual(root.span.words, { high: 0xb7ad6b71, low: 0x69203331 });
});

test('a context tells of its own call', () => {
  const root = invocation(60_000);
  const one = called(root, 'stock', 10_000);
  const { component, requestId, remainingMs } = one.context;
  assert.deepEqual([component, requestId], ['stock', 'r_1']);
  assert.ok(remainingMs() <= 10_000 && root.context.remainingMs() > 10_000);
  assert.equal(one.context, one.context);
  assert.equal(one.context.signal, one.signal);
});
