import type { PriceBook, SizeForSale, Tier } from '../model/price-book.ts';
import { issueAt, type BookIssue } from './price-book-issues.ts';

/** What a book's values must keep to among each other, once each by itself is right. */
export function bookRules(book: PriceBook): BookIssue[] {
  return [
    ...sellsSomething(book),
    ...tiersOf(book).flatMap(([path, tiers]) => tierRules(path, tiers)),
    ...functionRules(book),
    ...serviceRules(book),
    ...feeRules(book),
    ...unverifiedRules(book),
  ];
}

function sellsSomething(book: PriceBook): BookIssue[] {
  if (book.machine !== null && (book.function !== null || book.service !== null))
    return [issueAt(['machine'], book.machine, 'beside other prices', 'a book of its own, or null')];
  if (book.function !== null || book.service !== null || book.machine !== null) return [];
  return [issueAt([], 'neither', 'sells nothing', 'function, service or machine')];
}

type Path = readonly (string | number)[];

function tiersOf(book: PriceBook): [Path, readonly Tier[]][] {
  const { function: run, service } = book;
  return [
    ...(run === null
      ? []
      : listed('function', run, ['perMillionRequests', 'perGbSecond', 'perVcpuSecond', 'perMillionCpuMs'])),
    ...(service === null
      ? []
      : listed('service', service, ['perVcpuHour', 'perGbHour', 'perMillionRequests'])),
    ...(service?.disk
      ? [[['service', 'disk', 'perGbHour'], service.disk.perGbHour] satisfies [Path, readonly Tier[]]]
      : []),
    ...book.fees.flatMap((fee, i): [Path, readonly Tier[]][] => [
      [['fees', i, 'perMillionRequests'], fee.perMillionRequests],
      [['fees', i, 'perGbOut'], fee.perGbOut],
    ]),
  ];
}

function listed<K extends string>(
  room: string,
  prices: Readonly<Record<K, readonly Tier[]>>,
  keys: readonly K[],
): [Path, readonly Tier[]][] {
  return keys.map((key) => [[room, key], prices[key]]);
}

function tierRules(path: Path, tiers: readonly Tier[]): BookIssue[] {
  return tiers.flatMap((tier, i) => {
    const at = [...path, i, 'upTo'];
    const last = i === tiers.length - 1;
    if (last)
      return tier.upTo === null ? [] : [issueAt(at, tier.upTo, 'ends', 'null, as the last tier has no end')];
    const before = i === 0 ? 0 : (tiers[i - 1]!.upTo ?? Infinity);
    if (tier.upTo === null) return [issueAt(at, null, 'has no end, and others follow', 'a number')];
    return tier.upTo > before ? [] : [issueAt(at, tier.upTo, 'out of order', `more than ${before}`)];
  });
}

function functionRules(book: PriceBook): BookIssue[] {
  const prices = book.function;
  if (prices === null) return [];
  const issues: BookIssue[] = [];
  const { leastMb, mostMb, sizesMb } = prices;
  if (mostMb < leastMb)
    issues.push(issueAt(['function', 'mostMb'], mostMb, 'below leastMb', `${leastMb} or more`));
  sizesMb.forEach((mb, i) => {
    const before = i === 0 ? 0 : sizesMb[i - 1]!;
    if (mb <= before)
      issues.push(issueAt(['function', 'sizesMb', i], mb, 'out of order', `more than ${before}`));
  });
  if (prices.provisioned?.held === 'idle')
    for (const key of ['perGbSecondRun', 'perVcpuSecondRun'] as const)
      if (prices.provisioned[key] > 0)
        issues.push(
          issueAt(
            ['function', 'provisioned', key],
            prices.provisioned[key],
            `not asked for where held is 'idle'`,
            '0: what runs costs the ordinary prices',
          ),
        );
  if (!prices.billsWait && prices.perGbSecond.length + prices.perVcpuSecond.length > 0)
    issues.push(
      issueAt(
        ['function', 'billsWait'],
        false,
        'prices by time are never used',
        'true, or perMillionCpuMs alone',
      ),
    );
  return issues;
}

function serviceRules(book: PriceBook): BookIssue[] {
  const prices = book.service;
  if (prices === null) return [];
  const issues: BookIssue[] =
    prices.vcpuBilled === 'used' && prices.idle !== null
      ? [issueAt(['service', 'idle'], prices.idle, `not asked for where vcpuBilled is 'used'`, 'null')]
      : [];
  issues.push(...prices.sizes.flatMap((size, i) => sizeRules(size, ['service', 'sizes', i])));
  if (prices.sizes.length + prices.machines.length === 0)
    issues.push(issueAt(['service', 'sizes'], prices.sizes, 'nothing to buy', 'a size, or a machine'));
  prices.machines.forEach((machine, i) => {
    const at = ['service', 'machines', i];
    if (machine.sustainedVcpu > machine.vcpu)
      issues.push(
        issueAt([...at, 'sustainedVcpu'], machine.sustainedVcpu, 'above vcpu', `up to ${machine.vcpu}`),
      );
    if (prices.machines.findIndex((other) => other.name === machine.name) < i)
      issues.push(issueAt([...at, 'name'], machine.name, 'there twice', 'a name of its own'));
  });
  return issues;
}

function sizeRules(size: SizeForSale, path: Path): BookIssue[] {
  return size.mostGb >= size.leastGb
    ? []
    : [issueAt([...path, 'mostGb'], size.mostGb, 'below leastGb', `${size.leastGb} or more`)];
}

function feeRules(book: PriceBook): BookIssue[] {
  return book.fees.flatMap((fee, i) =>
    book.fees.findIndex((other) => other.id === fee.id) < i
      ? [issueAt(['fees', i, 'id'], fee.id, 'there twice', 'an id of its own')]
      : [],
  );
}

/** A path that leads nowhere would let an unverified price pass as read. */
function unverifiedRules(book: PriceBook): BookIssue[] {
  return book.unverified.flatMap((path, i) =>
    valueAt(book, path) === undefined
      ? [
          issueAt(
            ['unverified', i],
            path,
            'leads nowhere',
            'a path in this book, such as function.perGbSecond',
          ),
        ]
      : [],
  );
}

function valueAt(book: PriceBook, path: string): unknown {
  const parts = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  return parts.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Readonly<Record<string, unknown>>)[part]
        : undefined,
    book,
  );
}
