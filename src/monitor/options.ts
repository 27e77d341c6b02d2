import { describe, rejectUnknown, SharedCacheError } from '../errors.js';
import type { SharedMonitorOptions } from './types.js';

const LIMITS = {
  operations: { fallback: 64, max: 1024 },
  threads: { fallback: 128, max: 1024 },
  histograms: { fallback: 256, max: 65_536 },
  retention: { fallback: 1024, max: 65_536 },
  sample: { fallback: 1, max: 1_000_000 },
} as const;

export type MonitorDimensions = Record<keyof typeof LIMITS, number>;

export const isDimension = (name: keyof typeof LIMITS, value: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= LIMITS[name].max;

/** Fills in the defaults. Throws ERR_INVALID_OPTION. */
export function resolveMonitorOptions(options: SharedMonitorOptions = {}): MonitorDimensions {
  if (typeof options !== 'object' || options === null) {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `monitor options must be an object, received ${describe(options)}`,
    );
  }
  rejectUnknown(options, Object.keys(LIMITS), 'monitor option');
  const resolve = (name: keyof typeof LIMITS): number => {
    const value = options[name] ?? LIMITS[name].fallback;
    if (isDimension(name, value)) return value;
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `monitor option ${name} must be a whole number from 1 to ${LIMITS[name].max}, received ${describe(value)}`,
    );
  };
  return {
    operations: resolve('operations'),
    threads: resolve('threads'),
    histograms: resolve('histograms'),
    retention: resolve('retention'),
    sample: resolve('sample'),
  };
}
