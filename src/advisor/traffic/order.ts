/**
 * The indices of `times` in ascending order; equal ones stay as they are. Traces come nearly in order: times are first dealt into as many equal
 * stretches as there are of them, and only what shares a stretch is compared.
 */
export function orderOf(times: Float64Array): Uint32Array {
  const count = times.length;
  let first = Infinity;
  let last = -Infinity;
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  const order = new Uint32Array(count);
  const perUnit = last > first ? (count - 1) / (last - first) : 0;
  const ends = new Uint32Array(count + 1);
  for (const time of times) ends[Math.floor((time - first) * perUnit) + 1]!++;
  for (let i = 1; i <= count; i++) ends[i]! += ends[i - 1]!;
  const next = ends.slice();
  for (let i = 0; i < count; i++) order[next[Math.floor((times[i]! - first) * perUnit)]!++] = i;
  for (let i = 0; i < count; i++) {
    const [from, to] = [ends[i]!, ends[i + 1]!];
    if (to - from > 1) order.subarray(from, to).sort((a, b) => times[a]! - times[b]! || a - b);
  }
  return order;
}
