// Events of a running task for one reader: pushed at any time, read in order. The task goes on when the reader leaves.

export interface EventQueue<Event> {
  push(event: Event): void;
  /** Ends the stream, with an error where there is one. */
  end(error?: unknown): void;
  read(): AsyncGenerator<Event, void, undefined>;
}

export function createEventQueue<Event>(): EventQueue<Event> {
  const waiting: Event[] = [];
  let wake = () => {};
  let finished: { readonly error: unknown } | undefined;
  return {
    push: (event) => {
      waiting.push(event);
      wake();
    },
    end: (error) => {
      finished = { error };
      wake();
    },
    async *read() {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else if (finished === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if (finished.error === undefined) return;
        else throw finished.error;
      }
    },
  };
}
