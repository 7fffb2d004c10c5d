/** What browsers are told by `Strict-Transport-Security` (RFC 6797): to come by https only. Hard to take back, so off unless asked for. */
export interface HstsSettings {
  readonly maxAgeS: number;
  readonly includeSubDomains: boolean;
  /** Asks to be put into the list that browsers are shipped with. */
  readonly preload: boolean;
}

/** The field's line; empty where there is none. */
export function hstsLine(settings: HstsSettings | null): string {
  if (settings === null) return '';
  const { maxAgeS, includeSubDomains, preload } = settings;
  const more = `${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
  return `Strict-Transport-Security: max-age=${maxAgeS}${more}\r\n`;
}
