import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { HttpExchange } from '../../model/http.ts';
import { FRAME } from './frames.ts';
import { HeadTexts } from './head-texts.ts';
import { carryHttp } from './http-exchange.ts';
import { writeAnswer } from './messages.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';

test('who gives up an answer that has come whole does not abort the request that has its number now', async (t) => {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  const seen: string[] = [];
  const instance = connectionOver(far, 'instance', {
    opened: (stream) => {
      seen.push(`asked ${stream.id}`);
      // Frames come in order: what was sent in the same turn as the second request has come with it.
      handle(stream, { frame: (type) => void seen.push(`frame ${type}`) });
      const answer = (): void => {
        writeAnswer(instance.writer, stream.id, { status: 200, cpuMicros: 0, headers: [], body: 'ok' });
        instance.forget(stream);
      };
      if (seen.length === 1) answer();
      else setImmediate(answer);
    },
  });
  const texts = new HeadTexts();
  const caller = new AbortController();
  const second = Promise.withResolvers<void>();
  const exchange = (signal: AbortSignal, answered: () => void, ended: () => void): HttpExchange => ({
    context: {
      component: 'hello',
      call: null,
      requestId: 'r_1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      trigger: 'route',
      deadlineMs: systemClock.monotonicMs() + 60_000,
      signal,
    },
    head: { method: 'GET', url: 'http://a/', target: '/', headers: ['Host', 'a'] },
    body: null,
    response: {
      head: () => undefined,
      data: () => true,
      end: answered,
      onDrain: () => undefined,
    },
    ended,
  });
  const next = exchange(new AbortController().signal, () => undefined, second.resolve);
  const first = exchange(
    caller.signal,
    () => {
      carryHttp(next, server, systemClock, texts);
      caller.abort(new FulcrumError('bad-response', 'It is none.'));
    },
    () => undefined,
  );
  carryHttp(first, server, systemClock, texts);
  await second.promise;
  assert.equal(seen[0], seen[1], 'the number is used again');
  assert.deepEqual(seen.slice(2), [], `no frame ${FRAME.ABORT}`);
});
