import { Presets, SingleBar } from 'cli-progress';

/** Between two lines of progress where there is no terminal. */
const LINE_EVERY_MS = 10_000;

export interface Progress {
  /** `done` of the total; fractions are fine. */
  update(done: number, label: string): void;
  stop(): void;
}

/** A bar on stderr; a line now and then where that is no terminal. */
export function startProgress(total: number): Progress {
  const bar = new SingleBar(
    {
      format: '{bar} {percentage} % | {duration} s | {label}',
      stream: process.stderr,
      noTTYOutput: true,
      notTTYSchedule: LINE_EVERY_MS,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { label: '' });
  return {
    update: (done, label) => bar.update(done, { label }),
    stop: () => bar.stop(),
  };
}
