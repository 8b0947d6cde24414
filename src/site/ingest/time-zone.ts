// The site's time zone: an instant with an offset becomes the day and second that the hospital's own clocks showed, so that one
// event has one day whether an export wrote it in UTC or in local time.

export interface LocalTime {
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly second: number;
}

export interface TimeZone {
  /** IANA name. */
  readonly name: string;
  /** @param ms milliseconds since 1970-01-01T00:00Z */
  localTime(ms: number): LocalTime;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const spanMs = 4 * dayMs;
const largestCache = 100_000;

/** @throws RangeError when `name` is no time zone of the IANA database. */
export function openTimeZone(name: string): TimeZone {
  const offsetAt = name === 'UTC' ? () => 0 : createOffsets(name);
  return {
    name,
    localTime: (ms) => {
      const local = ms + offsetAt(ms);
      const day = Math.floor(local / dayMs);
      return { day, second: Math.floor((local - day * dayMs) / 1000) };
    },
  };
}

/**
 * Offsets by spans of four days of UTC: no zone changes its offset and changes it back within one. Of a span that begins and ends with
 * different ones every quarter of an hour is looked up: zones change theirs at such a boundary.
 */
function createOffsets(name: string): (ms: number) => number {
  const find = createLookup(name);
  const spans = new Map<number, number | null>();
  const quarters = new Map<number, number>();
  const remembered = (known: Map<number, number>, start: number, key: number): number => {
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= largestCache) known.clear();
    const offset = find(start);
    known.set(key, offset);
    return offset;
  };
  const starts = new Map<number, number>();
  return (ms) => {
    const span = Math.floor(ms / spanMs);
    let ofSpan = spans.get(span);
    if (ofSpan === undefined) {
      const first = remembered(starts, span * spanMs, span);
      ofSpan = first === remembered(starts, (span + 1) * spanMs, span + 1) ? first : null;
      if (spans.size >= largestCache) spans.clear();
      spans.set(span, ofSpan);
    }
    if (ofSpan !== null) return ofSpan;
    const quarter = Math.floor((ms * 4) / hourMs);
    return remembered(quarters, (quarter * hourMs) / 4, quarter);
  };
}

/** The offset at a moment, from the database: slow. */
function createLookup(name: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  });
  return (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const year = part.era === 'BC' ? 1 - Number(part.year) : Number(part.year);
    const utc = Date.UTC(
      year,
      Number(part.month) - 1,
      Number(part.day),
      Number(part.hour),
      Number(part.minute),
      Number(part.second),
    );
    return utc - ms;
  };
}
