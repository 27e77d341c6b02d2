/** Numbers as people read them. */

const threeDigits = (value) => String(Number(value.toPrecision(3)));

/** Counts and rates; from ten thousand on with k, M or G. */
export function count(value) {
  if (value >= 1e10) return `${threeDigits(value / 1e9)} G`;
  if (value >= 1e6) return `${threeDigits(value / 1e6)} M`;
  if (value >= 1e4) return `${threeDigits(value / 1e3)} k`;
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : threeDigits(value);
}

/** 1 KB = 1024 bytes. */
export function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${threeDigits(value)} ${units[unit]}`;
}

/** ms in the unit that suits them. */
export function duration(ms) {
  if (ms === 0) return '0';
  if (ms < 1e-3) return `${threeDigits(ms * 1e6)} ns`;
  if (ms < 1) return `${threeDigits(ms * 1e3)} µs`;
  return ms < 1e3 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1e3)} s`;
}

export const percent = (share) => `${Number((share * 100).toFixed(1))} %`;

export const clock = (at) => new Date(at).toLocaleTimeString();
