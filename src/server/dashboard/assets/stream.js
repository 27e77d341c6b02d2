/** Server-sent events over fetch: EventSource can send no Authorization header. */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Listens until the page goes, and connects again when the server has gone. `onState` hears connecting, live, lost and
 * denied; after denied it stops, and the caller may try another token.
 */
export async function listen(token, onEvent, onState) {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch('/events', { headers, cache: 'no-store' });
      if (response.status === 401) {
        onState('denied');
        return;
      }
      if (response.ok) {
        onState('live');
        pause = FIRST_PAUSE_MS;
        await receive(response.body, onEvent);
      }
    } catch {
      // The connection broke; what follows is the same as after its end.
    }
    onState('lost');
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function receive(body, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event);
      onEvent(name, JSON.parse(data));
    }
  }
}
