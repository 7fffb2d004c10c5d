/** What differs from one run to the next, whatever else is the same: ids and times. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\br_[0-9a-z]{8,}/g, 'r_…'],
  [/\bpay_[0-9a-f]{16}/g, 'pay_…'],
  [/\b[0-9a-f]{20}\b/g, '(an order)'],
  [/\b[0-9a-f]{24}\b/g, '(a visit)'],
  [/"atMs":\d+/g, '"atMs":0'],
  [/\be_[0-9a-z]{16,}/g, 'e_…'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d/g, '(a time)'],
  [/127\.0\.0\.1:\d+/g, '(the app)'],
];

/** `value` without what differs from one run to the next. */
export function normal(value: unknown): unknown {
  let text = JSON.stringify(value ?? null);
  for (const [changing, instead] of CHANGING) text = text.replace(changing, instead);
  return JSON.parse(text);
}
