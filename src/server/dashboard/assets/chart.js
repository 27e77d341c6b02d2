/** Lines over the last minutes as SVG, with a legend that tells values and a table that tells all of them. */
import { clock } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';
const WINDOW_MS = 300_000;
const HEIGHT = 190;
const FRAME = { left: 58, right: 14, top: 12, bottom: 26 };
/** Seconds between two rows of the table. */
const ROW_SECONDS = 15;
/** How often an open table is written anew: not so often that nobody could read it. */
const TABLE_MS = 15_000;

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function shape(name, attributes, text = '') {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.textContent = text;
  return made;
}

export class Chart {
  #title;
  #format;
  #bounds;
  #svg = shape('svg', { role: 'img', tabindex: 0, height: HEIGHT });
  #legend = element('ul', { className: 'legend' });
  #details = element('details', {}, element('summary', { textContent: 'As a table' }));
  #tableAt = 0;
  /** What is drawn: the times of the samples and their lines. */
  #times = [];
  #lines = [];
  /** The sample that a pointer or a key points at; undefined: the last one. */
  #pointed;

  /**
   * @param figure filled with the chart
   * @param format value -> text
   * @param bounds { top } where the scale always ends, { log: true } for a logarithmic one
   */
  constructor(figure, title, format, bounds = {}, ...controls) {
    this.#title = title;
    this.#format = format;
    this.#bounds = bounds;
    const caption = element('figcaption', {}, element('h3', { textContent: title }), ...controls);
    figure.replaceChildren(caption, this.#legend, this.#svg, this.#details);
    new ResizeObserver(() => this.#draw()).observe(this.#svg);
    this.#details.addEventListener('toggle', () => this.#writeTable(true));
    this.#svg.addEventListener('pointermove', ({ offsetX }) => this.#point(this.#nearest(offsetX)));
    this.#svg.addEventListener('pointerleave', () => this.#point(undefined));
    this.#svg.addEventListener('blur', () => this.#point(undefined));
    this.#svg.addEventListener('keydown', (event) => this.#step(event));
  }

  show(samples, lines) {
    // The place stays with its sample, and goes with it.
    const at = this.#pointed === undefined ? undefined : this.#times[this.#pointed];
    this.#times = samples.map((sample) => sample.at);
    this.#lines = lines;
    const kept = this.#times.indexOf(at);
    this.#pointed = kept < 0 ? undefined : kept;
    this.#draw();
    this.#writeTable(false);
  }

  #draw() {
    const width = this.#svg.clientWidth;
    if (width === 0 || this.#times.length === 0) return;
    const end = this.#times[this.#times.length - 1];
    const plot = { x: FRAME.left, width: width - FRAME.left - FRAME.right, height: HEIGHT - FRAME.top - FRAME.bottom };
    const x = (at) => plot.x + plot.width * (1 - (end - at) / WINDOW_MS);
    const scale = this.#scale();
    const y = (value) => FRAME.top + plot.height * (1 - scale.share(value));
    const shapes = scale.ticks.flatMap((tick) => [
      shape('line', { class: 'grid', x1: plot.x, x2: plot.x + plot.width, y1: y(tick), y2: y(tick) }),
      shape('text', { x: plot.x - 8, y: y(tick), dy: '.32em', 'text-anchor': 'end' }, this.#format(tick)),
    ]);
    const minutes = width < 460 ? [4, 2, 0] : [5, 4, 3, 2, 1, 0];
    for (const ago of minutes) {
      const anchor = ago === 0 ? 'end' : ago === 5 ? 'start' : 'middle';
      const label = ago === 0 ? 'now' : `−${ago} min`;
      shapes.push(shape('text', { x: x(end - ago * 60_000), y: HEIGHT - 6, 'text-anchor': anchor }, label));
    }
    for (const [i, { values }] of this.#lines.entries()) {
      shapes.push(shape('path', { class: `line s${i}`, d: this.#path(values, x, y) }));
      if (this.#pointed !== undefined && values[this.#pointed] !== null)
        shapes.push(
          shape('circle', {
            class: `dot s${i}`,
            r: 3.5,
            cx: x(this.#times[this.#pointed]),
            cy: y(values[this.#pointed]),
          }),
        );
    }
    if (this.#pointed !== undefined) {
      const at = x(this.#times[this.#pointed]);
      shapes.push(shape('line', { class: 'cursor', x1: at, x2: at, y1: FRAME.top, y2: HEIGHT - FRAME.bottom }));
    }
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    this.#svg.replaceChildren(...shapes);
    this.#writeLegend();
  }

  #path(values, x, y) {
    let path = '';
    let isGap = true;
    for (const [i, value] of values.entries()) {
      const at = x(this.#times[i]);
      if (value === null || at < FRAME.left) isGap = true;
      else {
        path += `${isGap ? 'M' : 'L'}${at.toFixed(1)} ${y(value).toFixed(1)}`;
        // A value between two gaps is a dot.
        if (isGap && (values[i + 1] ?? null) === null) path += 'h.1';
        isGap = false;
      }
    }
    return path;
  }

  #scale() {
    const values = this.#lines.flatMap((line) => line.values.filter((value) => value !== null));
    return this.#bounds.log
      ? logarithmic(values)
      : this.#bounds.top === undefined
        ? linear(Math.max(...values, 0))
        : quarters(this.#bounds.top);
  }

  #writeLegend() {
    const at = this.#pointed ?? this.#times.length - 1;
    const items = this.#lines.map(({ label, values, total }, i) => {
      const value = values[at] ?? null;
      const text = value === null ? '–' : this.#format(value);
      const note = total === undefined ? '' : `, ${total.toLocaleString('en')} in all`;
      return { label, text: `${text}${note}`, i };
    });
    this.#legend.replaceChildren(
      ...items.map(({ label, text, i }) =>
        element('li', {}, element('i', { className: `s${i}` }), `${label} `, element('b', { textContent: text })),
      ),
    );
    const when = this.#pointed === undefined ? 'now' : `at ${clock(this.#times[at])}`;
    const spoken = items.map(({ label, text }) => `${label} ${text}`).join('; ');
    this.#svg.setAttribute(
      'aria-label',
      `${this.#title}, lines over the last five minutes, ${when}: ${spoken || 'nothing yet'}`,
    );
  }

  #writeTable(isNew) {
    if (!this.#details.open || (!isNew && Date.now() - this.#tableAt < TABLE_MS)) return;
    this.#tableAt = Date.now();
    const head = ['time', ...this.#lines.map(({ label }) => label)];
    const rows = [];
    for (let i = this.#times.length - 1; i >= 0; i -= ROW_SECONDS) {
      const cells = this.#lines.map(({ values }) => (values[i] === null ? '–' : this.#format(values[i])));
      const time = element('th', { scope: 'row', textContent: clock(this.#times[i]) });
      rows.push(element('tr', {}, time, ...cells.map((textContent) => element('td', { textContent }))));
    }
    const header = element('tr', {}, ...head.map((textContent) => element('th', { scope: 'col', textContent })));
    const caption = element('caption', { className: 'unseen', textContent: this.#title });
    const table = element('table', {}, caption, element('thead', {}, header), element('tbody', {}, ...rows));
    // It scrolls where it is too wide, also by keys.
    const frame = element(
      'div',
      { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: `${this.#title}, table` },
      table,
    );
    this.#details.replaceChildren(this.#details.firstElementChild, frame);
  }

  #nearest(offsetX) {
    const width = this.#svg.clientWidth - FRAME.left - FRAME.right;
    const at = this.#times[this.#times.length - 1] - WINDOW_MS * (1 - (offsetX - FRAME.left) / width);
    const next = this.#times.findIndex((time) => time >= at);
    return next < 0 ? undefined : next;
  }

  #step(event) {
    const last = this.#times.length - 1;
    const from = this.#pointed ?? last;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last, Escape: undefined };
    if (!Object.hasOwn(to, event.key)) return;
    event.preventDefault();
    const target = to[event.key];
    this.#point(target === undefined ? undefined : Math.min(last, Math.max(0, target)));
  }

  #point(index) {
    if (index === this.#pointed) return;
    this.#pointed = index;
    this.#draw();
  }
}

/** Of a scale whose end is known. */
function quarters(top) {
  return { ticks: [0, 1, 2, 3, 4].map((quarter) => (top * quarter) / 4), share: (value) => value / top };
}

/** From 0 in about four steps of 1, 2, 2.5 or 5 times a power of ten. */
function linear(max) {
  const rough = Math.max(max, 1e-9) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = max === 0 ? 1 : power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const top = max === 0 ? 4 : step * Math.ceil((max / step) * 0.999);
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);
  return { ticks, share: (value) => value / top };
}

/** Whole powers of ten around what there is. */
function logarithmic(values) {
  const known = values.filter((value) => value > 0);
  const bottom = known.length === 0 ? -3 : Math.floor(Math.log10(Math.min(...known)));
  const top = known.length === 0 ? 0 : Math.max(bottom + 1, Math.ceil(Math.log10(Math.max(...known))));
  const ticks = Array.from({ length: top - bottom + 1 }, (_, i) => 10 ** (bottom + i));
  return { ticks, share: (value) => (Math.log10(Math.max(value, 10 ** bottom)) - bottom) / (top - bottom) };
}
