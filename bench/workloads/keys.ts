const PREFIX = 'user:';
const SUFFIX = ':profile';
const DIGITS = 8;

const template = Buffer.from(`${PREFIX}${'0'.repeat(DIGITS)}${SUFFIX}`, 'latin1');

/**
 * The key of this number, such as `user:00012345:profile`, as a request parser makes it: cut out of a buffer of bytes, a new
 * string each time, whose hash nobody has computed yet.
 */
export function freshKey(number: number): string {
  let rest = number;
  for (let at = PREFIX.length + DIGITS - 1; at >= PREFIX.length; at--) {
    const tenth = Math.floor(rest / 10);
    template[at] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  return template.latin1Slice(0, template.length);
}

/** All keys once, for those who ask with the same string again and again. */
export function cachedKeys(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => freshKey(number));
}
