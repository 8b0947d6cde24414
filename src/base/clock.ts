// Time is passed in, so that a test can move it and no pure function reads it.

export interface Clock {
  /** Now, in milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** `2026-11-21T08:00:00.000Z` for a moment in milliseconds. */
export function isoTime(nowMs: number): string {
  return new Date(nowMs).toISOString();
}

/** Whole days from 1970-01-01 to a moment, in UTC. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / 86_400_000);
}
