import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Instance } from '../../../src/model/instance.ts';
import type { InvocationResult, MessageSaid } from '../../../src/model/invocation.ts';
import { Bench, isAlive, json, TestInvocation, valueOf, type CreateRuntime, TRACEPARENT } from './bench.ts';

interface Delivery {
  /** What has been said so far. */
  readonly said: MessageSaid[];
  readonly ended: Promise<InvocationResult>;
  readonly invocation: TestInvocation;
}

/** A batch for the way that the fixture knows by `type`. */
function deliver(instance: Instance, type: string, count = 2, data: unknown = null): Delivery {
  const messages = Array.from({ length: count }, (_, i) => ({ id: `e_${i}`, type, data }));
  const said: MessageSaid[] = [];
  const invocation = new TestInvocation('r_batch');
  const batch = json({ messages });
  const onSaid = (one: MessageSaid): void => void said.push(one);
  return {
    said,
    invocation,
    ended: instance.invoke({ kind: 'queue', batch, onSaid }, invocation.context),
  };
}

const acked = (id: string): MessageSaid => ({ id, as: 'acked', afterMs: null });
const retried = (id: string, afterMs: number | null = null): MessageSaid => ({ id, as: 'retried', afterMs });

/** Batches of events, and what becomes of each of their messages. */
export function deliveryConformance(create: CreateRuntime): void {
  describe('deliveries', () => {
    test('a message has all that was published, from JSON or bytes', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('deliveries');
      const full = {
        id: 'e_1',
        type: 'fields',
        source: '/components/checkout',
        subject: 's',
        key: 'k',
        contentType: 'image/png',
        time: 5,
        attempt: 3,
        traceparent: TRACEPARENT,
      };
      const batch = json({
        messages: [
          { ...full, data_base64: 'AQID' },
          { ...full, subject: null, key: null, contentType: 'application/json', data: { a: [1] } },
        ],
      });
      const { outcome } = await instance.invoke({ kind: 'queue', batch }, new TestInvocation().context);
      assert.equal(outcome, 'ok');
      const lines = bench.log.entries.filter(({ text }) => text.startsWith('message '));
      assert.deepEqual(
        lines.map(({ text }) => JSON.parse(text.slice('message '.length)) as unknown),
        [
          [full, [1, 2, 3]],
          [{ ...full, subject: null, key: null, contentType: 'application/json' }, { a: [1] }],
        ],
      );
    });

    test('what a handler says of its messages is told in its order, and the end says the rest', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('deliveries');
      const all = deliver(instance, 'all');
      assert.deepEqual([(await all.ended).outcome, all.said], ['ok', []]);
      const mixed = deliver(instance, 'mixed', 4);
      assert.equal((await mixed.ended).outcome, 'ok');
      assert.deepEqual(mixed.said, [
        acked('e_0'),
        retried('e_1'),
        retried('e_2', 60_000),
        retried('e_2', 5),
        retried('e_3'),
        acked('e_3'),
      ]);
      const messages = ['e_1', 'e_2', 'e_3', 'e_4'].map((id) => ({ id, type: 'mixed' }));
      const unheard = await instance.invoke(
        { kind: 'queue', batch: json({ messages }) },
        new TestInvocation().context,
      );
      assert.deepEqual(valueOf(unheard), { acked: ['e_1', 'e_4'], retried: ['e_2', 'e_3'] });
      const later = deliver(instance, 'acks later');
      assert.deepEqual([(await later.ended).outcome, later.said], ['ok', [acked('e_0')]]);
      const thousands = deliver(instance, 'acks thousands', 1_000);
      assert.equal((await thousands.ended).outcome, 'ok');
      assert.equal(thousands.said.length, 20_000);
      assert.ok(thousands.said.slice(-1_000).every(({ as }) => as === 'acked'));
    });

    test('what was acknowledged stays so when the process ends, the time is over or the handler fails', async (t) => {
      const bench = await Bench.open(t, create);
      for (const [way, said] of [
        ['acks one and dies', [acked('e_0')]],
        ['acks one and exits', [acked('e_0'), retried('e_1', 30_000)]],
      ] as const) {
        const delivery = deliver(await bench.start('deliveries'), way);
        assert.deepEqual([(await delivery.ended).outcome, delivery.said], ['crashed', said]);
      }
      const spinning = await bench.start('deliveries');
      const heard = Promise.withResolvers<MessageSaid>();
      const { invocation } = { invocation: new TestInvocation() };
      const spin = spinning.invoke(
        {
          kind: 'queue',
          batch: json({ messages: [{ id: 'e_0', type: 'acks one and spins' }] }),
          onSaid: heard.resolve,
        },
        invocation.context,
      );
      // It never comes back to its loop, and was heard all the same.
      assert.deepEqual(await heard.promise, acked('e_0'));
      invocation.abort('timeout');
      assert.equal((await spin).outcome, 'timeout');

      const failing = deliver(await bench.start('deliveries'), 'acks one and fails');
      const { outcome, thrown } = await failing.ended;
      assert.deepEqual([outcome, failing.said], ['handler-error', [acked('e_0')]]);
      assert.deepEqual([thrown!.message, thrown!.retryAfterS], ['bad batch', 90]);
    });

    test('what is said too late or wrongly changes nothing, and is told', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('deliveries');
      const late = deliver(instance, 'acks too late');
      assert.equal((await late.ended).outcome, 'ok');
      await bench.log.until(/^said too late$/);
      const told = bench.log.entries.filter(({ text }) => text.includes('when its invocation was over'));
      assert.deepEqual([late.said, told.length, told[0]?.requestId], [[], 1, 'r_batch']);
      const wrong = deliver(instance, 'retries at no time');
      const { thrown } = await wrong.ended;
      assert.deepEqual(wrong.said, [acked('e_1')]);
      assert.equal(thrown!.code, 'event-invalid');
      assert.match(thrown!.message, /The message e_0 cannot be retried: its delay is "soon"; a duration/);
    });

    test('an instance that says what cannot be said of a message ends, and no other', async (t) => {
      const bench = await Bench.open(t, create);
      const honest = await bench.start('deliveries');
      const lies = ['no JSON\n', 'x'.repeat(20_000)];
      for (const lie of lies) {
        const liar = await bench.start('deliveries');
        const head = Buffer.alloc(10);
        head.writeUInt32LE(lie.length, 0);
        head[4] = 19;
        head.writeUInt32LE(1, 6);
        const frame = Buffer.concat([head, Buffer.from(lie)]).toString('hex');
        const { said, ended } = deliver(liar, 'lies', 2, { frame });
        const { outcome, error } = await ended;
        assert.deepEqual([lie, outcome, error!.code, said], [lie, 'crashed', 'wire-protocol', []]);
        await liar.ended;
        assert.equal(isAlive(liar.pid), false);
      }
      assert.equal((await deliver(honest, 'all').ended).outcome, 'ok');
    });
  });
}
