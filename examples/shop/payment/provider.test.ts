import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Charges } from './charges.ts';
import { Provider } from './provider.ts';

const [GOOD, LOST, SILENT] = ['4111 1111 1111 1111', '4111 1111 1111 0003', '4111 1111 1111 0002'];
const NEVER = new AbortController().signal;

function scene(): {
  states(): unknown;
  charge(card: string, key: string, totalCents?: number, gone?: AbortSignal): Promise<string>;
  cancel(key: string): void;
} {
  const charges = new Charges(':memory:');
  const provider = new Provider(charges, (key) => `pay of ${key}`);
  return {
    states: () => charges.states(),
    charge: (card, key, totalCents = 1_000, gone = NEVER) =>
      provider.charge({ id: 'o-1', totalCents }, card, key, gone),
    cancel: (key) => provider.cancel(key),
  };
}

test('one key is one charge, also where the answer was lost', async () => {
  const { charge, states } = scene();
  await assert.rejects(charge(LOST, 'k'), /line .* broke/);
  for (let times = 0; times < 2; times++) assert.equal(await charge(LOST, 'k'), 'pay of k');
  assert.deepEqual(states(), { k: 'charged' });
  await assert.rejects(charge(GOOD, 'k', 999), /something else/);
});

test('what is refused or fails takes nothing, and leaves the key free', async () => {
  const { charge, states } = scene();
  const refused = { name: 'PaymentRefused', code: 'payment-refused' };
  await assert.rejects(charge('4000 0000 0000 0000', 'k'), refused);
  await assert.rejects(charge('12', 'k'), refused);
  await assert.rejects(charge('4111 1111 1111 0001', 'k'), /out of order/);
  for (const cents of [0.5, 0, -100, Number.NaN]) await assert.rejects(charge(GOOD, 'k', cents), TypeError);
  assert.deepEqual(states(), {});
  assert.equal(await charge(GOOD, 'k'), 'pay of k');
});

test('what is cancelled is given back, or never taken', async () => {
  const { charge, cancel, states } = scene();
  const controller = new AbortController();
  const silent = charge(SILENT, 'silent', 1_000, controller.signal);
  await charge(GOOD, 'taken');
  for (let times = 0; times < 2; times++) for (const key of ['taken', 'early', 'silent']) cancel(key);
  assert.deepEqual(states(), { taken: 'refunded', early: 'void', silent: 'void' });
  controller.abort();
  await assert.rejects(silent, { code: 'payment-refused' });
  for (const key of ['taken', 'early']) await assert.rejects(charge(GOOD, key), { code: 'payment-refused' });
  assert.deepEqual(states(), { taken: 'refunded', early: 'void', silent: 'void' });
});
