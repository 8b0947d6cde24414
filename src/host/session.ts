// Who is at the other end of a connection. Signed out after 15 idle minutes (HIPAA 164.312(a)(2)(iii), automatic logoff).
import type { Clock } from '#base/clock.ts';
import type { Person } from '#ipc/schema.ts';

const idleLimitMs = 15 * 60_000;

export class Session {
  #person: Person | null = null;
  #usedAtMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The signed-in person, or null. Counts as use. */
  person(): Person | null {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#usedAtMs > idleLimitMs) this.#person = null;
    this.#usedAtMs = nowMs;
    return this.#person;
  }

  begin(person: Person): void {
    this.#person = person;
    this.#usedAtMs = this.#clock.nowMs();
  }

  end(): void {
    this.#person = null;
  }
}
