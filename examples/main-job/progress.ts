/** A progress bar on stderr; where stderr is not a terminal, a line every few seconds. */
import { Presets, SingleBar } from 'cli-progress';

/** Widest label, so that bars line up. */
const LABEL_WIDTH = 24;

export interface Progress {
  advance(by?: number): void;
  stop(): void;
}

export function progress(label: string, total: number, unit: string): Progress {
  const bar = new SingleBar(
    {
      format: `${label.padEnd(LABEL_WIDTH)} {bar} {value}/{total} ${unit} {duration_formatted}`,
      stream: process.stderr,
      noTTYOutput: true,
      notTTYSchedule: 5_000,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { advance: (by = 1) => bar.increment(by), stop: () => bar.stop() };
}
