// Which file a worker is at, in memory that both threads see: a worker that hangs or dies cannot say it any more.

export interface WatchedWork {
  readonly jobId: number;
  readonly fileIndex: number;
  readonly sinceMs: number;
}

export class WorkWatch {
  /** Shared by both threads: job, file, whether it is at work, and since when in milliseconds of the wall clock, cut to 31 bits. */
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer = new SharedArrayBuffer(16)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  begin(jobId: number, fileIndex: number): void {
    this.#cells[0] = jobId;
    this.#cells[1] = fileIndex;
    this.#cells[3] = tick();
    Atomics.store(this.#cells, 2, 1);
  }

  end(): void {
    Atomics.store(this.#cells, 2, 0);
  }

  /** What is being worked on; undefined between files. */
  current(): WatchedWork | undefined {
    if (Atomics.load(this.#cells, 2) === 0) return undefined;
    const [jobId = 0, fileIndex = 0, , since = 0] = this.#cells;
    return { jobId, fileIndex, sinceMs: (tick() - since) & 0x7fffffff };
  }
}

/** Both threads read the same clock of the machine. */
function tick(): number {
  return Math.floor(performance.timeOrigin + performance.now()) & 0x7fffffff;
}
