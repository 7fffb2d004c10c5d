import { fetchRows } from './fetch-rows.ts';
import { headersListRows } from './headers-list-rows.ts';
import { headersRows } from './headers-rows.ts';
import { incomingBodyRows } from './incoming-body-rows.ts';
import { incomingRows } from './incoming-rows.ts';
import { responseBodyRows } from './response-body-rows.ts';
import { responseCloneRows } from './response-clone-rows.ts';
import { responseRows } from './response-rows.ts';
import { responseStaticRows } from './response-static-rows.ts';
import type { Row } from './row.ts';

/** What programs can see of the Fetch API, after what its standard says. */
export const behaviours: readonly Row[] = [
  ...headersRows,
  ...headersListRows,
  ...responseRows,
  ...responseStaticRows,
  ...responseBodyRows,
  ...responseCloneRows,
  ...incomingRows,
  ...incomingBodyRows,
  ...fetchRows,
];
