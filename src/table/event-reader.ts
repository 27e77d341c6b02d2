import { EVENT, EVENT_CAUSE_SHIFT, EVENT_KEY_MASK, SHARD } from '../memory/layout.js';
import { paddedToWord } from './entry.js';
import { readConsistently } from './optimistic.js';
import type { Shard } from './shard.js';

/** An entry that left: its encoded key, in memory of its own, and the number of the cause. */
export interface RawEvent {
  readonly key: Buffer;
  readonly cause: number;
}

/** Where a reader is in one shard's ring. */
interface Place {
  /** The next word to read, and the number the event there should have. */
  position: number;
  number: number;
}

/** What a ring holds for a reader: a private copy of the words from its place to the end. */
interface Tail {
  words: Int32Array;
  end: number;
  /** Events that the shard ever had. */
  events: number;
}

/**
 * Reads the events of all shards, as one listener goes on through them. A ring is copied as a value is read: without the
 * lock, and believed if the version is still the same. What was overwritten before it was read shows as a gap in the
 * numbers; nothing here makes a writer wait.
 */
export class EventReader {
  readonly #shards: readonly Shard[];
  readonly #causes: number;
  readonly #capacity: number;
  readonly #places: Place[];

  /** Begins at the end of every ring; `causes` has a bit for each cause that is wanted. */
  constructor(shards: readonly Shard[], causes: number, capacity: number) {
    this.#shards = shards;
    this.#causes = causes;
    this.#capacity = capacity;
    this.#places = shards.map((shard) => {
      const { end, events } = copyTail(shard, undefined);
      return { position: end, number: events };
    });
  }

  /** The events since the last call, of each shard the oldest first, and how many were lost. */
  read(): { events: RawEvent[]; lost: number } {
    const events: RawEvent[] = [];
    let lost = 0;
    this.#shards.forEach((shard, i) => {
      const place = this.#places[i];
      if (shard.words[SHARD.events] === place.number) return;
      lost += this.#parse(copyTail(shard, place), place, events);
    });
    return { events, lost: lost + this.#trim(events) };
  }

  /** Gives up the oldest events beyond the capacity, and returns how many. */
  #trim(events: RawEvent[]): number {
    return events.splice(0, Math.max(0, events.length - this.#capacity)).length;
  }

  /** Appends what the tail holds, moves the place behind it, and returns how many events are missing. */
  #parse(tail: Tail, place: Place, into: RawEvent[]): number {
    const { words, end, events } = tail;
    let lost = 0;
    let at = 0;
    while (at + EVENT.headWords <= words.length) {
      const meta = words[at + EVENT.meta];
      const keyBytes = meta & EVENT_KEY_MASK;
      const keyWords = paddedToWord(keyBytes) >> 2;
      if (at + EVENT.headWords + keyWords > words.length) break;
      lost += (words[at + EVENT.number] - place.number) >>> 0;
      place.number = (words[at + EVENT.number] + 1) | 0;
      const cause = meta >>> EVENT_CAUSE_SHIFT;
      if (((this.#causes >> cause) & 1) !== 0) {
        const from = words.byteOffset + (at + EVENT.headWords) * 4;
        into.push({ key: Buffer.from(words.buffer as ArrayBuffer, from, keyBytes), cause });
        // Seldom, since what stays is moved: a ring of a large cache holds many times what a listener has room for.
        if (into.length >= 2 * this.#capacity) lost += this.#trim(into);
      }
      at += EVENT.headWords + keyWords;
    }
    lost += (events - place.number) >>> 0;
    place.number = events;
    place.position = end;
    return lost;
  }
}

/** The ring from the place on, or from its oldest event if that one is gone. Without a place: only where the ring ends. */
function copyTail(shard: Shard, place: Place | undefined): Tail {
  const nothing = { words: new Int32Array(0), end: place?.position ?? 0, events: place?.number ?? 0 };
  return readConsistently<Tail>(shard, nothing, () => copyUnchecked(shard, place));
}

function copyUnchecked(shard: Shard, place: Place | undefined): Tail {
  const m = shard.words;
  const { eventWords, eventsWord } = shard.memory.geometry;
  const begin = m[SHARD.eventsBegin];
  const end = m[SHARD.eventsEnd];
  const events = m[SHARD.events];
  const held = Math.min(eventWords, Math.max(0, (end - begin) | 0));
  const wanted = place === undefined ? 0 : (end - place.position) | 0;
  const count = wanted >= 0 && wanted <= held ? wanted : held;
  const words = new Int32Array(count);
  for (let i = 0; i < count; i++) words[i] = m[eventsWord + ((end - count + i) & (eventWords - 1))];
  return { words, end, events };
}
