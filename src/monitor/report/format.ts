const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string =>
  text.toWellFormed().replace(/[&<>"']/g, (character) => ENTITIES[character] as string);

const threeDigits = (value: number): string => String(Number(value.toPrecision(3)));

/** ns in the unit that suits it. */
export function formatDuration(ns: number): string {
  if (ns < 1e3) return `${threeDigits(ns)} ns`;
  if (ns < 1e6) return `${threeDigits(ns / 1e3)} µs`;
  if (ns < 1e9) return `${threeDigits(ns / 1e6)} ms`;
  return `${threeDigits(ns / 1e9)} s`;
}

/** Counts and rates, with k, M, G beyond four digits. */
export function formatCount(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size * 10 || (value >= size && size > 1e3)) return `${threeDigits(value / size)} ${unit}`;
  }
  return threeDigits(value >= 1000 ? Math.round(value / 10) * 10 : value);
}

/** 1 KB = 1024 bytes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${threeDigits(bytes)} B`;
  if (bytes < 1024 ** 2) return `${threeDigits(bytes / 1024)} KB`;
  if (bytes < 1024 ** 3) return `${threeDigits(bytes / 1024 ** 2)} MB`;
  return `${threeDigits(bytes / 1024 ** 3)} GB`;
}

export const formatPercent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;

/** Wall-clock time of day, UTC, so that reports compare. */
export const formatTime = (ms: number): string => new Date(ms).toISOString().slice(11, 19);
