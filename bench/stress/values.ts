/** Values that tell what they are: key, version, length, checksum, so that a torn or mixed one cannot pass. */

export function makeValue(key: number, version: number, length: number): string {
  const filler = String.fromCharCode(97 + ((key + version) % 26)).repeat(length);
  return `${key}:${version}:${length}:${checksum(key, version, length)}:${filler}`;
}

/** The version a value claims, or undefined when it is not a whole value of this key. */
export function versionOf(key: number, value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const version = Number(value.split(':', 2)[1]);
  const length = Number(value.split(':', 3)[2]);
  return Number.isInteger(length) && value === makeValue(key, version, length) ? version : undefined;
}

function checksum(key: number, version: number, length: number): number {
  return Math.imul(Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(version, 0x85ebca6b), length | 1) >>> 0;
}
