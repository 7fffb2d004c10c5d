/** What whoever sends events over HTTP has to show, as `Authorization: Bearer …`. */
const SHORTEST_TOKEN = 16;
const LONGEST_TOKEN = 512;

export const EXPECTED_TOKEN = `${SHORTEST_TOKEN} to ${LONGEST_TOKEN} characters without spaces, or secret('NAME')`;
/** Where it stands in a config. */
export const TOKEN_PATH = ['events', 'endpoint', 'token'] as const;

/** @returns why `value` can be no token; null where it can. Never holds any of it. */
export function tokenProblem(value: string): string | null {
  if (value.length < SHORTEST_TOKEN) return `shorter than ${SHORTEST_TOKEN} characters`;
  if (value.length > LONGEST_TOKEN) return `longer than ${LONGEST_TOKEN} characters`;
  return /^[\x21-\x7e]+$/.test(value)
    ? null
    : 'not what a header can carry: letters, digits and signs of ASCII';
}
