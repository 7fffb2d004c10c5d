import { randomBytes } from 'node:crypto';
import type { Store } from '../../../../src/store/store.ts';
import { usageBatch } from '../../usage-record.ts';
import { newWork } from './event-things.ts';
import { contentOf, fileOf, newApp, newRelease, NOW_MS, putContent } from './things.ts';

/** Puts something into every table, with what is awkward to carry from one database to another. */
export async function fillStore(store: Store): Promise<void> {
  await store.apps.create(newApp({ hosts: ['a.example'], modes: {} }));
  await store.apps.create(newApp({ id: 'Zoo' }));
  await store.apps.create(newApp({ id: 'a@b', serving: 1 }));
  const contents = [contentOf(0), contentOf(10), contentOf(300_000, true), contentOf(5_000_000)];
  for (const content of contents) await putContent(store.blobs, content);
  const files = contents.map((content, i) => fileOf(content, `naïve \u{1f6d2} ${i}.js`));
  for (let i = 0; i < 6; i++)
    await store.releases.add(newRelease(files, { note: i % 2 ? '' : 'it\'s \\ "odd"\n' }));
  await store.releases.setState('shop', 2, 'failed', {
    ...{ code: 'start-failed', message: 'no', component: null, log: ['x'] },
  });
  await store.tokens.add({
    ...{ id: 't1', name: 'ci', hash: 'h', scope: 'read', apps: null, createdAtMs: NOW_MS },
    ...{ expiresAtMs: null, lastUsedAtMs: null },
  });
  for (const name of ['A', 'b', 'ä', '\u{10ffff}', '\uffff']) {
    await store.secrets.put({ app: 'shop', name, keyId: 'k', sealed: randomBytes(50), updatedAtMs: NOW_MS });
  }
  for (let i = 0; i < 520; i++) {
    await store.audit.append({
      ...{ atMs: NOW_MS + i, actor: 'ci', action: 'deploy', app: i % 3 ? 'shop' : null, outcome: 'ok' },
      details: { i },
    });
  }
  const nightly = { component: 'report', name: 'nightly', spec: '0 2 * * * Europe/Berlin' };
  await store.schedules.sync('shop', [nightly, { ...nightly, name: 'weekly' }], NOW_MS);
  await store.schedules.tick({
    ...{ app: 'shop', ...nightly, tickMs: NOW_MS + 1, nowMs: NOW_MS + 2, work: null },
    ...{ why: 'naïve', overlaps: false, node: 'n' },
  });
  for (const unit of ['report', 'stöck', 'nul\0here']) {
    const step = {
      atMs: NOW_MS,
      unit,
      kind: 'switched',
      by: 'auto',
      from: 'function',
      to: 'service',
    } as const;
    const figures = { savingLow: 0.1 + 0.2, excess: 1e-7 };
    await store.modes.append(
      'shop',
      Array.from({ length: 600 }, (_, i) => ({
        ...step,
        id: `${unit}${i}`,
        reason: 'it\'s \\ "odd"\n',
        figures,
      })),
      [{ unit, state: '{"naïve":"\u{1f6d2}"}', savedAtMs: NOW_MS }],
    );
  }
  await store.modes.lease({ app: 'shop', node: 'n1', nowMs: NOW_MS, untilMs: NOW_MS + 1e6 });
  for (const app of ['shop', 'Zoo']) {
    await store.usage.append(
      usageBatch({
        app,
        minutes: Array.from({ length: 1_300 }, (_, i) => ({
          ...{ part: `${app}m${i}`, component: `c${i % 5}`, revision: '', mode: 'function', outcome: 'ok' },
          ...{
            minuteMs: NOW_MS + (i >> 2) * 60_000,
            spanMs: 60_000,
            count: i,
            cold: 0,
            waitedMs: i / 7,
            startMs: -0,
          },
          ...{ durationMs: 1e-7, billedMs: 2 ** 53, billedByteMs: 2 ** 80, cpuMs: 0.1 + 0.2 },
          ...{ wholeMs: 1 / 3, wholeByteMs: 2 ** 90, hundredsMs: i % 2 ? null : 100 * i, internal: i },
          ...{ bytesIn: 2 ** 60, bytesOut: 0, latency: randomBytes(40), duration: new Uint8Array() },
        })) as never,
        arrivals: Array.from({ length: 450 }, (_, i) => ({
          ...{
            part: `${app}a${i}`,
            component: 'c',
            mode: 'service' as const,
            firstMs: i,
            lastMs: i,
            count: 1,
          },
          bytes: randomBytes(i),
        })),
        rows: Array.from({ length: 2_100 }, (_, i) => ({
          ...{
            part: `${app}r${i}`,
            component: `c${i % 2}`,
            revision: 'r',
            mode: 'function',
            trigger: 'route',
          },
          ...{
            outcome: 'ok',
            requestId: i === 7 ? 'nul\0here' : `r${i}`,
            status: 200,
            arrivedAtMs: NOW_MS + i / 3,
          },
          ...{
            waitedMs: 0,
            startMs: 0,
            durationMs: 1,
            billedMs: 1,
            cpuMs: 0,
            cold: i % 2 === 0,
            memoryBytes: 1e8,
            bytesIn: i,
            bytesOut: 2 ** 54,
          },
        })) as never,
      }),
    );
  }
  const writer = { id: 'w', node: 'nul\0here', sinceMs: NOW_MS, wroteMs: NOW_MS, closed: false };
  for (const id of ['w', 'ẅ']) await store.usage.append(usageBatch({ writer: { ...writer, id } }));
  await store.usage.bury('shop', 'ẅ', { fromMs: NOW_MS, toMs: NOW_MS + 1_500 });
  await store.usage.append(
    usageBatch({
      instances: Array.from({ length: 1_100 }, (_, i) => ({
        ...{ part: `i${i}`, unit: `c${i % 3}`, revision: 'r', mode: 'function', started: i, livedMs: i / 7 },
        ...{
          minuteMs: NOW_MS + (i >> 2) * 60_000,
          spanMs: 60_000,
          heldByteMs: 2 ** 80,
          watchedMs: 0.1 + 0.2,
        },
        ...{ usedByteMs: 1e-7, cpuMs: 0.5 },
      })) as never,
      joinedCalls: Array.from({ length: 1_100 }, (_, i) => ({
        ...{ part: `j${i}`, caller: `c${i % 4}`, callee: 'c', hourMs: NOW_MS + (i >> 3) * 3_600_000 },
        ...{ count: 2 ** 40, failed: i, durationMs: i / 3 },
      })),
    }),
  );
  await store.events.beat('n1', NOW_MS + 1e6);
  const answerUntilMs = NOW_MS + 1e9;
  await store.events.commit({
    ...{ node: 'n1', nowMs: NOW_MS, settle: [] },
    publish: Array.from({ length: 40 }, (_, i) =>
      newWork(i === 7 ? 'nul\0here' : `e${i}`, {
        ...{ components: i % 5 === 0 ? [] : ['receipts', 'stöck'], subject: i % 2 ? null : 'it\'s "odd"\n' },
        ...{ key: i % 3 ? null : '\u{10ffff}', data: randomBytes(i * 5_000), leaseFor: ['receipts'] },
        ...{ dueAtMs: NOW_MS + (i % 4), dedupe: { key: `d${i}`, untilMs: answerUntilMs } },
        ...{ answerUntilMs: i % 2 ? answerUntilMs : null },
      }),
    ),
  });
  const answer = { outcome: 'ok', status: 200, fields: '["a","b"]', contentType: '', error: null };
  await store.events.commit({
    ...{ node: 'n1', nowMs: NOW_MS, publish: [] },
    settle: [13, 17].map((i) => ({
      ...{ app: 'shop', component: 'receipts', id: `e${i}`, attempt: 1 },
      outcome: { as: 'done', answer: { ...answer, data: randomBytes(1_000) } } as const,
    })),
  });
}
