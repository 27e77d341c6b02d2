import { hdr } from './hdr.js';
import type { OperationSnapshot } from './snapshot.js';

const NS_PER_MS = 1e6;

/** Commas, white space and control characters would end a tag: they are percent-encoded, and `%` with them. */
export function toTag(operation: string): string {
  return operation.replace(/[%,\s\p{Cc}]/gu, encodeURIComponent);
}

/** One tagged interval a named operation, in ns; the column of maxima in ms. Times are ms since the epoch. */
export function writeHlog(operations: Iterable<[string, OperationSnapshot]>, start: number, end: number): string {
  const chunks: string[] = [];
  const { HistogramLogWriter } = hdr();
  const writer = new HistogramLogWriter((chunk: string) => {
    chunks.push(chunk);
  });
  writer.outputLogFormatVersion();
  writer.outputStartTime(start);
  writer.outputLegend();
  for (const [name, snapshot] of operations) {
    const histogram = snapshot.toHistogram();
    histogram.tag = toTag(name);
    writer.outputIntervalHistogram(histogram, start / 1000, end / 1000, NS_PER_MS);
  }
  // The writer leaves an empty line after the start time, which strict readers take for a broken interval.
  return chunks.join('').replace(/\n{2,}/g, '\n');
}
