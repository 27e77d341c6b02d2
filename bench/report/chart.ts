import { short } from './tables.js';

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly highlighted: boolean;
}

export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LABEL_WIDTH = 130;
const VALUE_WIDTH = 80;
const BAR_HEIGHT = 18;
const STEP = 24;
const TITLE_HEIGHT = 34;
const HEAD_HEIGHT = 56;
export const NOTE_HEIGHT = 18;

/** Follows the reader's choice of light or dark. */
export const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 16px } .panel { font-weight: 600 }
  .note { fill: #59636e; font-size: 12px } .page { fill: #ffffff } .bar { fill: #8c959f } .own { fill: #0969da } .range { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note { fill: #9198a1 } .page { fill: #0d1117 } .bar { fill: #656c76 } .own { fill: #4493f8 } .range { stroke: #e6edf3 }
  }`;

export const escapeText = (text: string): string => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Horizontal bars, one panel under the other, each with a scale of its own; a thin line from the lowest to the highest. */
export function barChart(title: string, notes: readonly string[], panels: readonly Panel[]): string {
  let y = HEAD_HEIGHT + (notes.length - 1) * NOTE_HEIGHT;
  const parts: string[] = [];
  for (const panel of panels) {
    y += TITLE_HEIGHT;
    parts.push(`<text class="panel" x="16" y="${y - 10}">${escapeText(panel.title)}</text>`);
    const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / Math.max(...panel.bars.map(({ high }) => high));
    for (const bar of panel.bars) {
      parts.push(drawBar(bar, y, scale));
      y += STEP;
    }
  }
  const height = y + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title><style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    ...heading(title, notes),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** A chart's title and the lines under it: 16 pixels from the left, the title's foot at 28. */
export function heading(title: string, notes: readonly string[]): string[] {
  return [
    `<text class="title" x="16" y="28">${escapeText(title)}</text>`,
    ...notes.map((note, i) => `<text class="note" x="16" y="${48 + i * NOTE_HEIGHT}">${escapeText(note)}</text>`),
  ];
}

function drawBar({ label, value, low, high, highlighted }: Bar, y: number, scale: number): string {
  const at = (number: number): string => (LABEL_WIDTH + number * scale).toFixed(1);
  const middle = y + BAR_HEIGHT / 2;
  const width = Math.max(1, value * scale).toFixed(1);
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle + 5}" text-anchor="end">${escapeText(label)}</text>`,
    `<rect class="${highlighted ? 'own' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}"/>`,
    `<line class="range" x1="${at(low)}" x2="${at(high)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${(LABEL_WIDTH + high * scale + 8).toFixed(1)}" y="${middle + 5}">${short(value)}</text>`,
  ].join('');
}
