/** What the page shows of the samples: figures of now, charts, memory and the state of things. */
import { Chart, element } from './chart.js';
import { bytes, count, duration, percent } from './format.js';
import { HottestKeys } from './hottest.js';
import * as series from './series.js';

const figure = (id) => document.getElementById(id);

export class Panels {
  #operations = new Chart(figure('operations'), 'Operations per second', count);
  #ratio = new Chart(figure('ratio'), 'Hit ratio', percent, { top: 1 });
  #left = new Chart(figure('left'), 'Entries that left per second, by cause', count);
  #memory;
  #latency;
  #hottest;
  #percentile = 'p99';
  #samples = [];
  #tiles = new Map();
  #health = element('dl', { className: 'facts' });
  #contents = element('dl', { className: 'facts' });
  #meter = element(
    'div',
    { className: 'meter', role: 'meter', ariaLabel: 'Memory in use', ariaValueMin: '0', ariaValueMax: '100' },
    element('div'),
  );

  constructor(about, { maxBytes }) {
    this.#memory = new Chart(figure('memory'), 'Memory, and what fills it', bytes, { top: maxBytes });
    figure('memory').querySelector('figcaption').after(this.#meter, this.#contents);
    if (about.isTimed) {
      this.#latency = new Chart(figure('latency'), 'Latency per operation', duration, { log: true }, this.#choice());
      this.#hottest = new HottestKeys(figure('keys'));
    } else {
      const latencies = ['This cache records no latencies.', 'to see percentiles of every operation here.'];
      showMonitorless('latency', 'Latency per operation', ...latencies);
      showMonitorless('keys', 'Hottest keys', 'This cache notes no keys.', 'to see here which are used most.');
    }
    figure('health').replaceChildren(
      element('figcaption', {}, element('h3', { textContent: 'Threads and repairs' })),
      this.#health,
    );
  }

  show(samples) {
    this.#samples = samples;
    const lines = series.operations(samples);
    const ratio = series.ratio(samples);
    this.#operations.show(samples, lines);
    this.#ratio.show(samples, ratio);
    this.#left.show(samples, series.left(samples));
    this.#memory.show(samples, series.memory(samples));
    this.#showLatency();
    const sample = samples[samples.length - 1];
    const { stats } = sample;
    this.#hottest?.show(sample);
    this.#showTiles(lines, ratio, stats);
    this.#showMemory(lines, stats);
    write(this.#health, [
      ['threads attached', count(stats.threads)],
      ['repairs after a dead thread', count(stats.recoveries)],
      ['locks given up', count(stats.lockTimeouts)],
      ['loads taken over', count(stats.takeovers)],
      ['callers that waited for a load', count(stats.waits)],
      ['puts refused as too large', count(stats.rejections)],
    ]);
  }

  #showLatency() {
    this.#latency?.show(this.#samples, series.latency(this.#samples, this.#percentile));
  }

  #showTiles(lines, [ratio], stats) {
    const rates = lines.map(({ values }) => series.recent(values)).filter((value) => value !== null);
    const now = series.recent(ratio.values, 10);
    this.#tile('operations a second', count(rates.reduce((sum, rate) => sum + rate, 0)));
    this.#tile('hit ratio', now === null ? '–' : percent(now), `${percent(stats.hitRatio)} since the start`);
    this.#tile(
      'entries',
      count(stats.totalObjects),
      stats.maxEntries === undefined ? '' : `of ${count(stats.maxEntries)}`,
    );
    this.#tile('memory', bytes(stats.memoryUsage), `of ${bytes(stats.maxBytes)}`);
    this.#tile('threads', count(stats.threads));
    this.#tile('recoveries', count(stats.recoveries));
  }

  #tile(label, value, note = '') {
    let parts = this.#tiles.get(label);
    if (parts === undefined) {
      parts = { value: element('b'), note: element('small') };
      figure('tiles').append(
        element('div', {}, element('dt', { textContent: label }), element('dd', {}, parts.value, parts.note)),
      );
      this.#tiles.set(label, parts);
    }
    parts.value.textContent = value;
    parts.note.textContent = note;
  }

  #showMemory(lines, { memoryUsage, maxBytes, totalObjects }) {
    const share = memoryUsage / maxBytes;
    this.#meter.firstElementChild.style.width = `${Math.min(100, share * 100)}%`;
    this.#meter.ariaValueNow = String(Math.round(share * 100));
    this.#meter.ariaValueText = `${bytes(memoryUsage)} of ${bytes(maxBytes)}`;
    const writes = series.recent(lines.find(({ label }) => label === 'writes').values);
    write(this.#contents, [
      ['in use', `${bytes(memoryUsage)}, ${percent(share)}`],
      ['entries', count(totalObjects)],
      ['each, with bookkeeping', totalObjects === 0 ? '–' : bytes(memoryUsage / totalObjects)],
      ['written', writes === null ? '–' : `${count(writes)} a second`],
    ]);
  }

  /** Which percentile the lines are. */
  #choice() {
    const buttons = ['p50', 'p90', 'p99', 'max'].map((name) => {
      const input = element('input', {
        type: 'radio',
        name: 'percentile',
        value: name,
        checked: name === this.#percentile,
      });
      input.addEventListener('change', () => {
        this.#percentile = name;
        this.#showLatency();
      });
      return element('label', {}, input, element('span', { textContent: name }));
    });
    const legend = element('legend', { className: 'unseen', textContent: 'Percentile' });
    return element('fieldset', { className: 'choice' }, legend, ...buttons);
  }
}

/** What is where a figure would be that needs a monitor. */
function showMonitorless(id, title, missing, purpose) {
  const advice = element('p', {}, `${missing} Create it with `, element('code', { textContent: 'monitor: true' }));
  advice.append(` ${purpose}`);
  figure(id).replaceChildren(element('figcaption', {}, element('h3', { textContent: title })), advice);
}

/** Writes names and values in place: a reader who is in the middle of the list stays there. */
function write(list, facts) {
  while (list.children.length < facts.length) list.append(element('div', {}, element('dt'), element('dd')));
  for (const [i, [name, value]] of facts.entries()) {
    list.children[i].firstElementChild.textContent = name;
    list.children[i].lastElementChild.textContent = value;
  }
}
