/** As providers count it, and bills here: 8,760 / 12. */
export const HOURS_OF_MONTH = 730;
