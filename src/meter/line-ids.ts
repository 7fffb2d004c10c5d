import type { PriceBook } from '../model/price-book.ts';

/** Of what is computed; fees and machines have the names that the book gives them. */
const COMPUTE = [
  'requests',
  'gb-seconds',
  'vcpu-seconds',
  'cpu-ms',
  'ready-gb-seconds',
  'ready-vcpu-seconds',
  'ready-run-gb-seconds',
  'ready-run-vcpu-seconds',
  'vcpu-hours',
  'gb-hours',
  'idle-vcpu-hours',
  'idle-gb-hours',
  'surcharge',
  'disk',
  'month',
  'machines',
  'operation',
];

/** Whatever may be left out of bills under `book`: ids of lines, and of fees. */
export function lineIdsOf({ fees, service }: PriceBook): string[] {
  return [
    ...COMPUTE,
    ...(service?.machines ?? []).map(({ name }) => `machine-hours-${name}`),
    ...fees.flatMap(({ id }) => [id, `${id}-requests`, `${id}-out`, `${id}-capacity`]),
  ];
}
