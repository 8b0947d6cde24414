// Counts wrong secrets in a row and locks a person for a while, across restarts (security.md E26, lockout).
import type { Store } from '#site/store/index.ts';
import { PeopleError } from './people-error.ts';

export const ALLOWED_FAILURES = 5;
export const LOCK_MS = 60_000;

interface Attempts {
  /** Wrong secrets since the last right one. */
  readonly failures: number;
  /** Milliseconds since 1970-01-01T00:00:00Z; 0 when never locked. */
  readonly lockedUntilMs: number;
}

/** @throws PeopleError SIGN_IN_LOCKED while `name` is locked; no secret is tried then (guessing on line). */
export function refuseLocked(store: Store, name: string): void {
  const { lockedUntilMs } = loadAttempts(store, name);
  const remainingMs = lockedUntilMs - store.clock.nowMs();
  if (remainingMs <= 0) return;
  throw new PeopleError(
    'SIGN_IN_LOCKED',
    'Too many wrong secrets in a row; this person is locked for a minute.',
    {
      details: { retryAfterMs: remainingMs },
    },
  );
}

/** Counts one wrong secret; from the fifth in a row on, each locks for a minute. Called in the caller's transaction. */
export function countFailure(store: Store, name: string): { readonly isLocked: boolean } {
  const failures = loadAttempts(store, name).failures + 1;
  const isLocked = failures >= ALLOWED_FAILURES;
  saveAttempts(store, name, { failures, lockedUntilMs: isLocked ? store.clock.nowMs() + LOCK_MS : 0 });
  return { isLocked };
}

/** Forgets wrong secrets after a right one. Called in the caller's transaction. */
export function clearFailures(store: Store, name: string): void {
  store.run(store.query.deleteFrom('setting').where('name', '=', settingName(name)));
}

function settingName(name: string): string {
  return `sign-in-failures:${name}`;
}

function loadAttempts(store: Store, name: string): Attempts {
  const query = store.query.selectFrom('setting').select('value').where('name', '=', settingName(name));
  const row = store.get(query);
  return row === undefined ? { failures: 0, lockedUntilMs: 0 } : (JSON.parse(row.value) as Attempts);
}

function saveAttempts(store: Store, name: string, attempts: Attempts): void {
  const value = JSON.stringify(attempts);
  store.run(
    store.query
      .insertInto('setting')
      .values({ name: settingName(name), value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  );
}
