/** Draws results as an SVG file of horizontal bars, one panel for each quantity. */
import { writeFileSync } from 'node:fs';
import { InputError, systemReason } from './errors.js';

export interface Panel {
  readonly title: string;
  /** Each bar is as long as its value is to the panel's largest; `text` stands at its end. */
  readonly bars: readonly { readonly label: string; readonly value: number; readonly text: string }[];
}

/** Pixels. */
const WIDTH = 720;
const LABEL_WIDTH = 170;
const TEXT_WIDTH = 110;
const ROW = 26;
const HEADING = 40;
const COLOUR = '#4a7fb5';
const STYLE = 'font: 14px sans-serif; fill: #333';

/** @throws InputError when the file cannot be written */
export function writeChart(file: string, panels: readonly Panel[]): void {
  try {
    writeFileSync(file, chart(panels));
  } catch (error) {
    throw new InputError(`--svg ${file}: ${systemReason(error)}`);
  }
}

export function chart(panels: readonly Panel[]): string {
  let y = 0;
  const drawn = panels.map((panel) => {
    const group = `<g transform="translate(0 ${y})">\n${drawPanel(panel)}\n</g>`;
    y += HEADING + panel.bars.length * ROW;
    return group;
  });
  const height = y + ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" style="${STYLE}">
<rect width="100%" height="100%" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

function drawPanel({ title, bars }: Panel): string {
  const largest = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const room = WIDTH - LABEL_WIDTH - TEXT_WIDTH;
  const rows = bars.map(({ label, value, text }, index) => {
    const top = HEADING + index * ROW;
    const length = Math.round((room * value) / largest);
    return `<text x="${LABEL_WIDTH - 8}" y="${top + 15}" text-anchor="end">${escapeText(label)}</text>
<rect x="${LABEL_WIDTH}" y="${top}" width="${length}" height="20" fill="${COLOUR}"/>
<text x="${LABEL_WIDTH + length + 6}" y="${top + 15}">${escapeText(text)}</text>`;
  });
  return [`<text x="12" y="26" font-weight="bold">${escapeText(title)}</text>`, ...rows].join('\n');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
