/** Some 100 ms of one processor of 2026: always the same work, and no memory. */
const ROUNDS = 60_000_000;

export function work(): number {
  let state = 1;
  for (let i = 0; i < ROUNDS; i++) state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i) | 0;
  return state;
}
