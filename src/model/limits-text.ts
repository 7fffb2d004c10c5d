import type { ClientRate, Limits } from './app.ts';

/** Limits in one line, for people. */
export function limitsText({ rps, burst, perClient, concurrency }: Limits): string {
  if (concurrency === 0) return 'switched off';
  const parts = [
    rps === null ? null : rateText({ rps, burst: burst! }),
    perClient === null ? null : `${rateText(perClient)} of one client`,
    concurrency === null ? null : `${number(concurrency)} at a time`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function rateText({ rps, burst }: ClientRate): string {
  return `${number(rps)} per second (${number(burst)} at once)`;
}

function number(value: number): string {
  return value.toLocaleString('en-GB');
}
