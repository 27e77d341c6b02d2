import { escapeHtml } from './format.js';

/** Drawing area of a chart in user units; the page scales it to its own width. */
export const FRAME = { width: 960, left: 76, right: 36, top: 14, bottom: 46 } as const;

export const plotWidth = FRAME.width - FRAME.left - FRAME.right;

export interface Tick {
  /** 0 to 1 along the axis. */
  at: number;
  label: string;
}

/** Grid, tick labels and axis titles around `content`, whose coordinates come from `xOf` and `yOf`. */
export function chart(
  height: number,
  description: string,
  xTicks: readonly Tick[],
  yTicks: readonly Tick[],
  xTitle: string,
  content: string,
): string {
  const bottom = height - FRAME.bottom;
  const horizontal = yTicks.map(({ at, label }) => {
    const y = round(yOf(at, height));
    return `<line class="grid" x1="${FRAME.left}" x2="${FRAME.width - FRAME.right}" y1="${y}" y2="${y}"/><text x="${FRAME.left - 10}" y="${y}" dy=".32em" text-anchor="end">${escapeHtml(label)}</text>`;
  });
  const vertical = xTicks.map(({ at, label }) => {
    const x = round(xOf(at));
    return `<line class="grid" x1="${x}" x2="${x}" y1="${FRAME.top}" y2="${bottom}"/><text x="${x}" y="${bottom + 18}" text-anchor="middle">${escapeHtml(label)}</text>`;
  });
  return `<svg viewBox="0 0 ${FRAME.width} ${height}" role="img" aria-label="${escapeHtml(description)}">
${horizontal.join('')}${vertical.join('')}
<line class="axis" x1="${FRAME.left}" x2="${FRAME.width - FRAME.right}" y1="${bottom}" y2="${bottom}"/>
<text class="title" x="${FRAME.left + plotWidth / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(xTitle)}</text>
${content}
</svg>`;
}

/** 0 to 1 -> horizontal user units. */
export const xOf = (share: number): number => FRAME.left + share * plotWidth;

/** 0 to 1 -> vertical user units, 0 at the bottom. */
export const yOf = (share: number, height: number): number =>
  height - FRAME.bottom - share * (height - FRAME.bottom - FRAME.top);

export const round = (value: number): number => Math.round(value * 10) / 10;
