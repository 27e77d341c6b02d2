import { escapeText, heading, NOTE_HEIGHT, STYLE } from './chart.js';
import { short } from './tables.js';

export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low: number; readonly high: number }[];
}

export interface LineChart {
  readonly title: string;
  /** Lines under the title: of what, and where it was measured. */
  readonly notes: readonly string[];
  readonly xTitle: string;
  readonly yTitle: string;
  label(x: number): string;
  readonly lines: readonly Line[];
}

const WIDTH = 820;
const HEIGHT = 460;
const LEFT = 64;
const RIGHT = 150;
/** With one line of notes. */
const TOP = 84;
const BOTTOM = 52;
const LABEL_HEIGHT = 16;
/** Told apart by people who see few colours as well: by lightness, too. */
const COLOURS = ['#0969da', '#d1480b', '#1a7f37', '#8250df', '#8c959f', '#bf3989'];

const LINE_STYLE = `.grid { stroke: #8c959f; stroke-opacity: 0.3 } .small { font-size: 12px }`;

/** Both axes logarithmic, a dot for each median and a thin line from the lowest to the highest round. */
export function lineChart({ title, notes, xTitle, yTitle, label, lines }: LineChart): string {
  const points = lines.flatMap((line) => line.points);
  const top = TOP + (notes.length - 1) * NOTE_HEIGHT;
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const decades = [
    Math.floor(Math.log10(Math.min(...points.map(({ low }) => low)))),
    Math.ceil(Math.log10(Math.max(...points.map(({ high }) => high)))),
  ] as const;
  const x = scale(Math.log10(xs[0] ?? 1), Math.log10(xs.at(-1) ?? 1), LEFT, WIDTH - RIGHT);
  const y = scale(decades[0], decades[1], HEIGHT - BOTTOM, top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escapeText(title)}</title><style>${STYLE}${LINE_STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    ...heading(title, notes),
    text(16, top - 16, yTitle, 'start', 'small'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, xTitle, 'middle', 'small'),
    ...grid(decades, y),
    ...xs.map((each) => text(x(each), HEIGHT - BOTTOM + 18, label(each), 'middle', 'small')),
    ...lines.map((line, i) => drawLine(line, colour(i), x, y)),
    ...names(lines, y),
    '</svg>\n',
  ].join('\n');
}

const colour = (i: number): string => COLOURS[i % COLOURS.length] as string;

/** Of the logarithm, linear between two pixels. */
function scale(first: number, last: number, from: number, to: number): (value: number) => number {
  const span = last - first || 1;
  return (value) => from + ((Math.log10(value) - first) / span) * (to - from);
}

/** A line at 1, 2 and 5 of each decade. */
function grid([first, last]: readonly [number, number], y: (value: number) => number): string[] {
  const parts: string[] = [];
  for (let decade = first; decade <= last; decade++) {
    for (const step of decade === last ? [1] : [1, 2, 5]) {
      const value = step * 10 ** decade;
      parts.push(`<path class="grid" d="M${LEFT} ${y(value).toFixed(1)}H${WIDTH - RIGHT}"/>`);
      parts.push(text(LEFT - 8, y(value) + 4, value < 1 ? String(value) : short(value), 'end', 'small'));
    }
  }
  return parts;
}

function drawLine(
  { points }: Line,
  stroke: string,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const path = points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
  const marks = points.map(({ x: at, y: median, low, high }) => {
    const left = x(at).toFixed(1);
    const range = `<path d="M${left} ${y(low).toFixed(1)}V${y(high).toFixed(1)}" stroke="${stroke}"/>`;
    return `${range}<circle cx="${left}" cy="${y(median).toFixed(1)}" r="3.5" fill="${stroke}"/>`;
  });
  return `<polyline points="${path}" fill="none" stroke="${stroke}" stroke-width="2"/>${marks.join('')}`;
}

/** At the right end of each line, pushed apart where they would cover each other. */
function names(lines: readonly Line[], y: (value: number) => number): string[] {
  const ends = lines
    .map(({ name, points }, i) => ({ name, i, at: y(points.at(-1)?.y ?? 1) }))
    .sort((a, b) => a.at - b.at);
  let lowest = 0;
  return ends.map(({ name, i, at }) => {
    lowest = Math.max(at, lowest + LABEL_HEIGHT);
    const dot = `<circle cx="${WIDTH - RIGHT + 16}" cy="${lowest.toFixed(1)}" r="4" fill="${colour(i)}"/>`;
    return dot + text(WIDTH - RIGHT + 26, lowest + 4, name, 'start', 'small');
  });
}

function text(x: number, y: number, content: string, anchor: string, style: string): string {
  return `<text class="${style}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeText(content)}</text>`;
}
