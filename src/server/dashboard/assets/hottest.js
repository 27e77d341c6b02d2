/** The keys that operations had most often, as a table. Keys are the users': they come into the page as text alone. */
import { element } from './chart.js';
import { count, percent } from './format.js';

const TITLE = 'Hottest keys';
const COLUMNS = ['key', 'share', 'per second', 'reads'];

export class HottestKeys {
  #basis = element('p', { textContent: 'One moment…' });
  #body = element('tbody');

  /** @param figure filled with the table */
  constructor(figure) {
    const names = COLUMNS.map((textContent) => element('th', { scope: 'col', textContent }));
    const caption = element('caption', { className: 'unseen', textContent: TITLE });
    const table = element('table', {}, caption, element('thead', {}, element('tr', {}, ...names)), this.#body);
    const frame = element('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: TITLE }, table);
    figure.replaceChildren(element('figcaption', {}, element('h3', { textContent: TITLE })), this.#basis, frame);
  }

  /** @param sample without `hottest` if it is of the time before the page was opened */
  show({ at, hottest }) {
    if (hottest === undefined) return;
    const { notes, since, keys } = hottest;
    const seconds = Math.max(1, Math.round((at - since) / 1000));
    this.#basis.textContent = `Estimated from ${notes.toLocaleString('en')} operations of the last ${seconds} s.`;
    // In place: a reader who is in the middle of the table stays there.
    while (this.#body.children.length > keys.length) this.#body.lastElementChild.remove();
    while (this.#body.children.length < keys.length) this.#body.append(row());
    for (const [i, { key, namespaces, isCut, share, opsPerSecond, notes, reads }] of keys.entries()) {
      const [name, ...cells] = this.#body.children[i].children;
      name.firstElementChild.textContent = isCut ? `${key}…` : key;
      name.lastElementChild.textContent = namespaces.length === 0 ? '' : ` in ${namespaces.join('/')}`;
      const values = [percent(share), count(opsPerSecond), percent(reads / notes)];
      for (const [j, cell] of cells.entries()) cell.textContent = values[j];
    }
  }
}

/** A key may have letters that are written from right to left: it turns nothing around but itself. */
function row() {
  const name = element('th', { scope: 'row' }, element('bdi'), element('bdi', { className: 'soft' }));
  return element('tr', {}, name, element('td'), element('td'), element('td'));
}
