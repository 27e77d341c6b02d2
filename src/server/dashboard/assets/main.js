/** The page: connects, keeps the samples of the last five minutes, and shows them. */
import { bytes } from './format.js';
import { Panels } from './panels.js';
import { listen } from './stream.js';

const SAMPLES = 300;
const STATES = { live: 'live', lost: 'connection lost, trying again', denied: 'needs the token' };

const view = document.getElementById('view');
const status = document.getElementById('status');
const form = document.getElementById('token-form');
const input = document.getElementById('token');

let samples = [];
let panels;
/** What the cache is, as text. */
let known;

function onEvent(name, data) {
  if (name === 'history') begin(data);
  else samples = [...samples, data].slice(-SAMPLES);
  // Nobody sees a hidden page; when it comes back, the next sample shows all.
  if (!document.hidden) panels.show(samples);
}

function begin({ about, samples: all }) {
  samples = all;
  const text = JSON.stringify(about);
  if (panels !== undefined) {
    // Another server may have come to the same address.
    if (text !== known) location.reload();
    return;
  }
  known = text;
  view.hidden = false;
  // A link sends no token.
  document.querySelector('footer').hidden = sessionStorage.getItem('token') !== null;
  const { stats } = samples[samples.length - 1];
  panels = new Panels(about, stats);
  const place = about.path ?? 'in the memory of one process';
  document.getElementById('about').textContent =
    `${place}, ${bytes(stats.maxBytes)}, entries up to ${bytes(about.maxEntryBytes)}`;
}

function onState(state) {
  // Said once for each change: it is a live region.
  if (status.dataset.state === state) return;
  status.dataset.state = state;
  status.textContent = STATES[state];
  if (state !== 'denied') return;
  sessionStorage.removeItem('token');
  document.getElementById('about').textContent = '';
  view.hidden = true;
  form.hidden = false;
  input.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', input.value);
  input.value = '';
  form.hidden = true;
  connect();
});

function connect() {
  status.dataset.state = 'connecting';
  status.textContent = 'connecting';
  listen(sessionStorage.getItem('token'), onEvent, onState);
}

connect();
