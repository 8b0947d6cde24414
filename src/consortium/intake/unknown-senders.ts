// Updates whose request nobody trusted signed: one log entry for each reason and minute, however many came. Otherwise anybody who
// reaches the port could fill the log and the disk.
import { isoTime } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { Foundation } from '#consortium/store/index.ts';

const MINUTE_MS = 60_000;

export interface UnknownSenders {
  /** Counts a refused request; `reason` is its code. It was not even opened. */
  count(reason: string): void;
  /** Logs what was counted. Called by itself when a minute ends; by the server when it closes. */
  flush(): void;
}

/** What was counted since the last entry is in memory only: a process that is killed loses up to a minute of it. */
export function createUnknownSenders({ store, log }: Foundation, logger: Logger): UnknownSenders {
  const counts = new Map<string, { count: number; readonly firstAt: string; lastAt: string }>();
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (counts.size === 0) return;
    store.transaction(() => {
      for (const [reason, detail] of counts) {
        log.append({ actor: 'unknown', action: 'update-received', outcome: 'refused', reason, detail });
      }
    });
    counts.clear();
  };
  const flushOnTime = (): void => {
    try {
      flush();
    } catch (error) {
      // The counts stay and are tried again: a full disk ends no process from inside a timer.
      logger.error('refused requests not logged', {
        stack: error instanceof Error ? error.stack : undefined,
      });
    }
  };
  return {
    flush,
    count: (reason) => {
      const at = isoTime(store.clock.nowMs());
      const known = counts.get(reason);
      if (known === undefined) counts.set(reason, { count: 1, firstAt: at, lastAt: at });
      else {
        known.count += 1;
        known.lastAt = at;
      }
      timer ??= setTimeout(flushOnTime, MINUTE_MS).unref();
    },
  };
}
