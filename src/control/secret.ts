import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether `given` is `secret`, in a time that tells nothing about either, their lengths included. */
export function sameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
