import { workerData } from 'node:worker_threads';
import { KeyNotes } from '../../src/monitor/key-notes.js';
import { KEY_NOTE_TEXT_BYTES } from '../../src/monitor/layout.js';
import { MonitorMemory } from '../../src/monitor/memory.js';

/** Overwrites its ring of keys until told to stop; every field of a note can be told from every other. */
const { buffer, stop } = workerData as { buffer: SharedArrayBuffer; stop: SharedArrayBuffer };
const notes = new KeyNotes(MonitorMemory.attach(buffer), 0);
const words = new Int32Array(KEY_NOTE_TEXT_BYTES / 4);
const stopped = new Int32Array(stop);
for (let i = 1; Atomics.load(stopped, 0) === 0; i = (i + 1) & 0x3fffffff) {
  words.fill(i);
  notes.write(i, { words, lengthBytes: KEY_NOTE_TEXT_BYTES, hash: i }, true, i);
}
