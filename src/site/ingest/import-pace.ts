// How far a batch is, how fast it goes and how long it will still take.

export interface BatchPace {
  /** Of the whole batch. */
  readonly bytesDone: number;
  readonly bytesOffered: number;
  readonly elapsedMs: number;
  /** Null until enough is done to tell. */
  readonly remainingMs: number | null;
  readonly rowsPerSecond: number;
  readonly bytesPerSecond: number;
}

const leastElapsedMs = 1_000;

export class ImportPace {
  readonly #bytesOffered: number;
  readonly #startedMs = performance.now();
  /** Of the files that are done. */
  #bytesDone = 0;
  #rowsDone = 0;

  constructor(bytesOffered: number) {
    this.#bytesOffered = bytesOffered;
  }

  /** A file, or several, with their rows. */
  finish(bytes: number, rows: number): void {
    this.#bytesDone += bytes;
    this.#rowsDone += rows;
  }

  /** @param bytes of the file that is being read, with its rows */
  at(bytes = 0, rows = 0): BatchPace {
    const elapsedMs = Math.round(performance.now() - this.#startedMs);
    const bytesDone = Math.min(this.#bytesOffered, this.#bytesDone + bytes);
    const share = this.#bytesOffered === 0 ? 0 : bytesDone / this.#bytesOffered;
    const seconds = Math.max(1, elapsedMs) / 1000;
    const canTell = elapsedMs >= leastElapsedMs && share > 0;
    return {
      bytesDone,
      bytesOffered: this.#bytesOffered,
      elapsedMs,
      remainingMs: canTell ? Math.round((elapsedMs * (1 - share)) / share) : null,
      rowsPerSecond: Math.round((this.#rowsDone + rows) / seconds),
      bytesPerSecond: Math.round(bytesDone / seconds),
    };
  }
}
