/** Hit ratio over capacity as an SVG: one line per series, capacities on a logarithmic axis. */

export interface Series {
  readonly name: string;
  /** Hit percentage per capacity, in the chart's order of capacities. */
  readonly values: readonly number[];
  /** Drawn dashed and grey: nothing the cache does, but what it is compared with. */
  readonly reference: boolean;
}

/** Pixels. */
const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 56;
const RIGHT = 150;
const TOP = 44;
const BOTTOM = 48;
const LINE_HEIGHT = 16;
const COLOURS = ['#c0392b', '#2c7fb8', '#238b45', '#8856a7', '#d95f0e', '#525252'];
const REFERENCE_DASHES = ['2 3', '8 4', '8 3 2 3'];

export function drawChart(title: string, capacities: readonly number[], series: readonly Series[]): string {
  const all = series.flatMap(({ values }) => values);
  const low = Math.floor(Math.min(...all) / 10) * 10;
  const high = Math.max(low + 10, Math.ceil(Math.max(...all) / 10) * 10);
  const first = Math.log(Math.min(...capacities));
  const span = Math.log(Math.max(...capacities)) - first || 1;
  const x = (entries: number): number => LEFT + ((Math.log(entries) - first) / span) * (WIDTH - LEFT - RIGHT);
  const y = (percent: number): number => TOP + ((high - percent) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    ...grid(low, high, y),
    ...capacities.map((entries) => text(x(entries), HEIGHT - BOTTOM + 18, String(entries), 'middle')),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, 'capacity in entries', 'middle'),
    text(12, 24, `${title}: hit ratio in %`, 'start', 'font-weight="bold"'),
    ...series.map((line, i) => drawLine(line, style(series, i), capacities, x, y)),
    ...labels(series, y),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" style="font: 12px sans-serif; fill: #333">
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

function grid(low: number, high: number, y: (percent: number) => number): string[] {
  const step = high - low > 50 ? 20 : 10;
  const lines: string[] = [];
  for (let percent = low; percent <= high; percent += step) {
    lines.push(`<path d="M${LEFT} ${y(percent).toFixed(1)}H${WIDTH - RIGHT}" stroke="#ddd"/>`);
    lines.push(text(LEFT - 8, y(percent) + 4, String(percent), 'end'));
  }
  return lines;
}

function drawLine(
  { values }: Series,
  stroke: string,
  capacities: readonly number[],
  x: (entries: number) => number,
  y: (percent: number) => number,
): string {
  const points = values.map((value, i) => `${x(capacities[i] as number).toFixed(1)},${y(value).toFixed(1)}`);
  return `<polyline points="${points.join(' ')}" fill="none" stroke-width="2" ${stroke}/>`;
}

/** Names at the right end of their lines, pushed apart where they would cover each other. */
function labels(series: readonly Series[], y: (percent: number) => number): string[] {
  const order = series.map((line, i) => ({ line, i, at: y(line.values.at(-1) as number) })).sort((a, b) => a.at - b.at);
  let lowest = 0;
  return order.map(({ line, i, at }) => {
    lowest = Math.max(at, lowest + LINE_HEIGHT);
    const left = WIDTH - RIGHT + 8;
    const mark = `<path d="M${left} ${lowest.toFixed(1)}h22" stroke-width="2" ${style(series, i)}/>`;
    return mark + text(left + 28, lowest + 4, line.name, 'start');
  });
}

function style(series: readonly Series[], i: number): string {
  const { reference } = series[i] as Series;
  const nth = series.slice(0, i).filter((line) => line.reference === reference).length;
  if (!reference) return `stroke="${COLOURS[nth % COLOURS.length]}"`;
  return `stroke="#888" stroke-dasharray="${REFERENCE_DASHES[nth % REFERENCE_DASHES.length]}"`;
}

function text(x: number, y: number, content: string, anchor: string, more = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${more}>${escaped}</text>`;
}
