// How fast an import goes and how long it still takes: measured over the last seconds, so that one slow file shows and is forgotten.

const windowMs = 6_000;
/** Before this much time nothing is said about what remains. */
const settledMs = 1_500;

export interface Pace {
  readonly rowsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly filesPerSecond: number;
  /** null while it cannot be told. */
  readonly remainingMs: number | null;
  readonly elapsedMs: number;
}

export interface Reading {
  readonly rows: number;
  readonly bytes: number;
  readonly files: number;
}

export const noPace: Pace = {
  rowsPerSecond: 0,
  bytesPerSecond: 0,
  filesPerSecond: 0,
  remainingMs: null,
  elapsedMs: 0,
};

/** @param offered what there is to read in all @param nowMs a clock that only goes forward, in ms */
export function createPaceMeter(offered: { readonly bytes: number; readonly files: number }, nowMs: number) {
  const startMs = nowMs;
  let samples: (Reading & { readonly atMs: number })[] = [{ atMs: nowMs, rows: 0, bytes: 0, files: 0 }];
  return {
    /** What was read since the start, as of `atMs`. */
    measure(reading: Reading, atMs: number): Pace {
      const last = samples.at(-1);
      // Ten samples a second are enough; thousands of small files must not make a long list.
      if (last === undefined || atMs - last.atMs >= 100) samples.push({ ...reading, atMs });
      while (samples.length > 2 && (samples[1]?.atMs ?? atMs) < atMs - windowMs) samples = samples.slice(1);
      const first = samples[0] ?? { ...reading, atMs };
      const spanMs = Math.max(1, atMs - first.atMs);
      const perSecond = (done: number): number => (Math.max(0, done) * 1000) / spanMs;
      const elapsedMs = atMs - startMs;
      const left = share({ reading, offered });
      return {
        rowsPerSecond: perSecond(reading.rows - first.rows),
        bytesPerSecond: perSecond(reading.bytes - first.bytes),
        filesPerSecond: perSecond(reading.files - first.files),
        remainingMs: left === null || elapsedMs < settledMs ? null : left * elapsedMs,
        elapsedMs,
      };
    },
  };
}

/** How many times what was done is still to do, by bytes, or by files where there are no bytes; null before anything was done. */
function share({
  reading,
  offered,
}: {
  reading: Reading;
  offered: { readonly bytes: number; readonly files: number };
}): number | null {
  const [done, all] = offered.bytes > 0 ? [reading.bytes, offered.bytes] : [reading.files, offered.files];
  return done <= 0 ? null : Math.max(0, all - done) / done;
}
