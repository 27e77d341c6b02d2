import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether the two are the same, in a time that does not depend on where they differ. */
export function isToken(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
