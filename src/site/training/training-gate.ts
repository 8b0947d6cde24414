// When a run may compute: not while a person has paused it, and only within the hours of the settings, in the site's time zone.
import type { Clock } from '#base/clock.ts';
import type { TimeZone } from '#site/ingest/index.ts';
import type { TrainingGate, TrainingHours } from '#site/ports.ts';

export interface TrainingGateOptions {
  readonly hours: TrainingHours | null;
  readonly clock: Clock;
  readonly zone: Pick<TimeZone, 'localTime'>;
  /** How often the clock is looked at while somebody listens. */
  readonly lookEveryMs?: number;
}

export interface PausableGate extends TrainingGate {
  pause(): void;
  resume(): void;
}

/** Whether a minute of the day lies in the window, its end not included. Equal ends are the whole day. */
export function isWithinHours({ fromMinute, toMinute }: TrainingHours, minute: number): boolean {
  if (fromMinute < toMinute) return fromMinute <= minute && minute < toMinute;
  return minute >= fromMinute || minute < toMinute;
}

export function createTrainingGate(options: TrainingGateOptions): PausableGate {
  const { hours, clock, zone, lookEveryMs = 15_000 } = options;
  const listeners = new Set<() => void>();
  let isPaused = false;
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  const setPaused = (next: boolean) => {
    isPaused = next;
    tell();
  };
  return {
    waitsFor: () => {
      if (isPaused) return 'paused';
      if (hours !== null && !isWithinHours(hours, Math.floor(zone.localTime(clock.nowMs()).second / 60)))
        return 'hours';
      return null;
    },
    onChange: (listener) => {
      const own = () => listener(); // the same function may listen twice
      listeners.add(own);
      if (hours !== null) timer ??= setInterval(tell, lookEveryMs).unref();
      return () => {
        listeners.delete(own);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    pause: () => setPaused(true),
    resume: () => setPaused(false),
  };
}
