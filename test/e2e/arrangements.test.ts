import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startApp, type TestApp } from '../../src/testing/index.ts';
import { ARRANGEMENTS, arrangedShop } from './shop/arrangements.ts';
import { CALLS } from './shop/call-scenarios.ts';
import { PURCHASES } from './shop/purchase-scenarios.ts';
import type { Scenario } from './shop/scenario.ts';
import { VISITS } from './shop/visit-scenarios.ts';
import { Visitor, type Step } from './shop/visitor.ts';

/** Of each scenario, what was seen in the first arrangement that it was gone through in: in all others it must be the same. */
const seen = new Map<string, { readonly where: string; readonly transcript: readonly Step[] }>();

for (const arrangement of ARRANGEMENTS) {
  suite(arrangement.name, () => {
    let app: TestApp;
    const ends: (() => unknown)[] = [];
    before(async () => {
      const directory = await arrangedShop({ after: (end) => ends.push(end) }, arrangement);
      app = await startApp({ directory });
      ends.push(() => app.close());
    });
    after(async () => {
      for (const end of ends.toReversed()) await end();
    });
    const taken = ({ name, take }: Scenario): void => {
      test(name, async () => {
        const visitor = new Visitor(app);
        await take(visitor);
        const first = seen.get(name);
        if (first === undefined) seen.set(name, { where: arrangement.name, transcript: visitor.transcript });
        else assert.deepEqual(visitor.transcript, first.transcript, `otherwise than in: ${first.where}`);
      });
    };

    suite('visits', () => VISITS.forEach(taken));
    // They do not meet: each buys other things.
    suite('purchases and calls', { concurrency: 4 }, () => [...PURCHASES, ...CALLS].forEach(taken));
  });
}
