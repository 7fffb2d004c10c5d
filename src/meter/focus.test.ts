import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BillLine } from '../model/bill.ts';
import { focusHead, focusLines, type FocusCharge } from './focus.ts';
import { openBook } from './price-book.ts';

/** Those that every FOCUS 1.2 dataset must have. */
const MANDATORY = [
  'BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeClass',
  'ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName ListCost PricingQuantity',
  'PricingUnit ProviderName PublisherName ServiceCategory ServiceName',
].flatMap((line) => line.split(' '));

const LINE: BillLine = {
  id: 'requests',
  title: 'Requests',
  quantity: 3,
  unit: 'million requests',
  free: 1,
  parts: [
    { quantity: 1.5, price: 0.2, amount: 0.3 },
    { quantity: 0.5, price: 0.0000001, amount: 0.00000005 },
  ],
  amount: 0.30000005,
  verified: true,
};

function charge(part: Partial<FocusCharge> = {}): FocusCharge {
  return {
    app: 'shop@production',
    environment: 'production',
    unit: 'catalog',
    mode: 'function',
    scenario: 'as-it-ran',
    basis: 'counted',
    fromMs: Date.UTC(2026, 11, 31),
    toMs: Date.UTC(2027, 0, 1),
    book: openBook('aws-lambda-x86'),
    line: LINE,
    ...part,
  };
}

/** Rows by column; quoted cells may hold commas and quotes, but no line breaks. */
function rowsOf(told: FocusCharge): Record<string, string>[] {
  const names = focusHead().split(',');
  return focusLines(told).map((line) => {
    const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
    );
    assert.equal(cells.length, names.length, line);
    return Object.fromEntries(names.map((name, i) => [name, cells[i]!]));
  });
}

describe('FOCUS rows', () => {
  test('have every mandatory column, and own ones that begin with x_', () => {
    const names = focusHead().split(',');
    for (const name of MANDATORY) assert.ok(names.includes(name), name);
    for (const name of names) assert.match(name, /^(?:x_)?[A-Z][A-Za-z]+$/);
    assert.equal(new Set(names).size, names.length);
  });

  test('are one for each price, with what was free at 0, and cost what price and quantity make', () => {
    const rows = rowsOf(charge());
    assert.deepEqual(
      rows.map((row) => [row['SkuPriceId'], row['PricingQuantity'], row['ListUnitPrice'], row['ListCost']]),
      [
        ['aws-lambda-x86/requests/free', '1', '0', '0'],
        ['aws-lambda-x86/requests/tier-1', '1.5', '0.2', '0.3'],
        ['aws-lambda-x86/requests/tier-2', '0.5', '0.0000001', '0.00000005'],
      ],
    );
    for (const row of rows) {
      assert.ok(
        Math.abs(Number(row['ListUnitPrice']) * Number(row['PricingQuantity']) - Number(row['ListCost'])) <
          1e-12,
      );
      for (const cost of ['BilledCost', 'EffectiveCost', 'ContractedCost'])
        assert.equal(row[cost], row['ListCost']);
    }
  });

  test('are of their day and of the month that it is in', () => {
    const [row] = rowsOf(charge());
    assert.equal(row!['ChargePeriodStart'], '2026-12-31T00:00:00Z');
    assert.equal(row!['ChargePeriodEnd'], '2027-01-01T00:00:00Z');
    assert.equal(row!['BillingPeriodStart'], '2026-12-01T00:00:00Z');
    assert.equal(row!['BillingPeriodEnd'], '2027-01-01T00:00:00Z');
  });

  test('tell what kind of service it is', () => {
    const kind = (book: string, mode: 'function' | 'service', id: string): unknown[] => {
      const [row] = rowsOf(charge({ book: openBook(book), mode, line: { ...LINE, id } }));
      return [row!['ServiceCategory'], row!['ServiceSubcategory']];
    };
    assert.deepEqual(kind('aws-lambda-x86', 'function', 'gb-seconds'), ['Compute', 'Serverless Compute']);
    assert.deepEqual(kind('aws-lambda-x86', 'function', 'gateway-requests'), [
      'Integration',
      'API Management',
    ]);
    assert.deepEqual(kind('aws-fargate-x86', 'service', 'vcpu-hours'), ['Compute', 'Containers']);
    assert.deepEqual(kind('aws-fargate-x86', 'service', 'load-balancer'), [
      'Networking',
      'Application Networking',
    ]);
    assert.deepEqual(kind('aws-ec2', 'service', 'machine-hours-t3.small'), ['Compute', 'Virtual Machines']);
    assert.deepEqual(kind('own-machine', 'service', 'machines'), ['Compute', 'Other (Compute)']);
  });

  test('have in each column what it is for', () => {
    const book = { ...openBook('aws-lambda-x86'), currency: 'EUR' };
    const rows = rowsOf(charge({ book, mode: 'service', scenario: 'as-it-ran', basis: 'idle' }));
    assert.equal(rows.length, 3);
    const { ChargeDescription: described, ...row } = rows[1]!;
    assert.equal(described, `Requests: catalog as a service, ${book.title}`);
    assert.deepEqual(row, {
      BilledCost: '0.3',
      BillingAccountId: 'shop@production',
      BillingAccountName: 'shop@production',
      BillingCurrency: 'EUR',
      BillingPeriodEnd: '2027-01-01T00:00:00Z',
      BillingPeriodStart: '2026-12-01T00:00:00Z',
      ChargeCategory: 'Usage',
      ChargeClass: '',
      ChargeFrequency: 'Usage-Based',
      ChargePeriodEnd: '2027-01-01T00:00:00Z',
      ChargePeriodStart: '2026-12-31T00:00:00Z',
      ConsumedQuantity: '1.5',
      ConsumedUnit: 'million requests',
      ContractedCost: '0.3',
      ContractedUnitPrice: '0.2',
      EffectiveCost: '0.3',
      InvoiceIssuerName: 'AWS',
      ListCost: '0.3',
      ListUnitPrice: '0.2',
      PricingCategory: 'Standard',
      PricingQuantity: '1.5',
      PricingUnit: 'million requests',
      ProviderName: 'AWS',
      PublisherName: 'AWS',
      RegionId: 'us-east-1',
      RegionName: 'us-east-1',
      ResourceId: 'shop@production/catalog',
      ResourceName: 'catalog',
      ResourceType: 'Service',
      ServiceCategory: 'Compute',
      ServiceName: book.title,
      ServiceSubcategory: 'Containers',
      SkuId: 'aws-lambda-x86/requests',
      SkuMeter: 'Requests',
      SkuPriceId: 'aws-lambda-x86/requests/tier-1',
      SubAccountId: 'production',
      SubAccountName: 'production',
      Tags: '{"app":"shop@production","environment":"production","component":"catalog"}',
      x_App: 'shop@production',
      x_Basis: 'idle',
      x_Book: 'aws-lambda-x86',
      x_Component: 'catalog',
      x_LineId: 'requests',
      x_Mode: 'service',
      x_PricesAsOf: book.asOf,
      x_Scenario: 'as-it-ran',
      x_Verified: 'true',
    });
    assert.ok(rows.every((each) => each['ListCost'] === each['BilledCost']));
    assert.equal(rows[0]!['ListCost'], '0');
  });

  test('quote what would be taken for something else', () => {
    const [row] = rowsOf(charge({ unit: 'a"b', environment: 'x,y' }));
    assert.equal(row!['ResourceName'], 'a"b');
    assert.equal(row!['SubAccountId'], 'x,y');
    const [broken] = focusLines(charge({ environment: 'x\ny' }));
    assert.ok(broken!.includes(',"x\ny",'));
    assert.deepEqual(JSON.parse(row!['Tags']!), {
      app: 'shop@production',
      environment: 'x,y',
      component: 'a"b',
    });
  });
});
