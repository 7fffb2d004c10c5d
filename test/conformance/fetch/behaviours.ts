import { headersRows } from './headers-rows.ts';
import { incomingBodyRows } from './incoming-body-rows.ts';
import { incomingRows } from './incoming-rows.ts';
import { responseBodyRows } from './response-body-rows.ts';
import { responseRows } from './response-rows.ts';
import type { Row } from './row.ts';

/** What programs can see of the Fetch API, after what its standard says. */
export const behaviours: readonly Row[] = [
  ...headersRows,
  ...responseRows,
  ...responseBodyRows,
  ...incomingRows,
  ...incomingBodyRows,
];
