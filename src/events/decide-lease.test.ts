import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mayLeaseAtOnce, MOST_LEASED, MOST_UNSETTLED, rowsToLease, type LeaseView } from './decide-lease.ts';

const view = (o: Partial<LeaseView> = {}): LeaseView => ({
  ...{
    window: 3,
    ahead: 0,
    underWay: 0,
    held: 0,
    heldBatches: 0,
    batchSize: 10,
    more: true,
    unsettled: 0,
    ...o,
  },
});

describe('what is leased', () => {
  it('is what fills the invocations that are free', () => {
    assert.equal(rowsToLease(view()), 30);
    assert.equal(rowsToLease(view({ underWay: 1 })), 20);
    assert.equal(rowsToLease(view({ underWay: 1, held: 14, heldBatches: 2 })), 6);
    assert.equal(rowsToLease(view({ underWay: 3 })), 0);
    assert.equal(rowsToLease(view({ underWay: 3, ahead: 3 })), 30);
    assert.equal(rowsToLease(view({ more: false })), 0);
    assert.equal(rowsToLease(view({ window: 0, ahead: 3 })), 0);
    assert.equal(rowsToLease(view({ unsettled: MOST_UNSETTLED })), 0);
  });

  it('is never more than there is room for, whatever is there', () => {
    const views = fc
      .record({
        window: fc.nat({ max: 200 }),
        ahead: fc.nat({ max: 200 }),
        underWay: fc.nat({ max: 250 }),
        batchSize: fc.integer({ min: 1, max: 1_000 }),
        alone: fc.nat({ max: 20 }),
        others: fc.nat({ max: 1_000 }),
        more: fc.boolean(),
        unsettled: fc.nat({ max: 2 * MOST_UNSETTLED }),
      })
      .map(({ alone, others, batchSize, ...o }) => ({
        ...{ ...o, batchSize, held: alone + others, heldBatches: alone + Math.ceil(others / batchSize) },
      }));
    fc.assert(
      fc.property(views, (one) => {
        const rows = rowsToLease(one);
        const room = Math.max(0, one.window + one.ahead - one.underWay) * one.batchSize;
        assert.ok(rows >= 0 && one.held + rows <= Math.max(one.held, MOST_LEASED));
        if (rows > 0) assert.ok(one.more && one.window > 0 && one.held + rows <= room);
        if (mayLeaseAtOnce(one))
          assert.ok(!one.more && one.window > 0 && one.held < room && one.held < MOST_LEASED);
      }),
    );
  });
});
