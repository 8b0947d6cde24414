// Finds text that was drawn into pixels: groups of marks of one value, glyph-like in size and shape, standing on one line, and set off
// from what surrounds them. Drawn text has one value where tissue and noise have many. What it cannot find is in docs/deidentification.md.

/** One plane of integer samples, row by row. */
export interface PixelPlane {
  readonly samples: Uint8Array | Int8Array | Uint16Array | Int16Array;
  readonly rows: number;
  readonly columns: number;
}

const leastGlyphRows = 5;
const mostGlyphRows = 160;
const leastGlyphsOfLine = 3;
/** Values that are looked at beside the brightest ones. */
const examinedValues = 8;
const leastEqualNeighbours = 18;
/** Fewer among the brightest values are no three letters. */
const leastBrightNeighbours = 6;
/** A value is examined when it has this many times the equal neighbours that the values beside it have. */
const leastSpike = 2.5;
/** Share of the range of values by which drawn text differs from what it stands on, on the average. */
const leastContrast = 0.07;
/** Values this near to the brightest count as one: lossy compression and smooth edges blur it. */
const brightestShare = 0.03;

/** Marks of one value, joined at sides and corners. */
interface Mark {
  readonly kind: number;
  top: number;
  bottom: number;
  left: number;
  right: number;
  area: number;
  /** Sum and number of the steps from the mark to its left and right. */
  steps: number;
  stepCount: number;
}

/** Whether text seems to be drawn into the plane. */
export function hasDrawnText(plane: PixelPlane): boolean {
  const { rows, columns, samples } = plane;
  if (rows < leastGlyphRows || columns < leastGlyphRows || samples.length < rows * columns) return false;
  const range = chooseKinds(plane);
  const leastStep = (range.most - range.least) * leastContrast;
  const marks = range.isWorthLooking ? findMarks(plane) : [];
  clearKinds(range);
  return hasLine(marks.filter((mark) => isGlyph(mark, plane, leastStep)));
}

/** For values modulo 2^16: how many of their samples have an equal neighbour, and their kind of mark. Made once, cleared by use. */
const equalNeighbours = new Uint32Array(0x10000);
const kinds = new Uint8Array(0x10000);

/** Fills `kinds`, 0 for values of no mark. Samples are taken modulo 2^16, so that signed ones have a place too. */
function chooseKinds({ samples, rows, columns }: PixelPlane): {
  least: number;
  most: number;
  isWorthLooking: boolean;
} {
  let least = samples[0] ?? 0;
  let most = least;
  for (let column = 1; column < columns; column += 1) {
    least = Math.min(least, samples[column] as number);
    most = Math.max(most, samples[column] as number);
  }
  // The first row has no row above: what stands on it alone is no text.
  const end = rows * columns;
  let before = -1;
  for (let index = columns, above = 0; index < end; index += 1, above += 1) {
    const value = samples[index] as number;
    if (value < least) least = value;
    else if (value > most) most = value;
    if (value === before || value === samples[above])
      equalNeighbours[value & 0xffff] = (equalNeighbours[value & 0xffff] as number) + 1;
    before = value;
  }
  const brightest = Math.max(most - Math.floor((most - least) * brightestShare), least + 1);
  let brightNeighbours = 0;
  for (let value = brightest; value <= most; value += 1) {
    kinds[value & 0xffff] = 1;
    brightNeighbours += equalNeighbours[value & 0xffff] ?? 0;
  }
  const examined = spikes(least, most);
  for (const [index, value] of examined.entries()) kinds[value & 0xffff] = index + 2;
  return { least, most, isWorthLooking: examined.length > 0 || brightNeighbours >= leastBrightNeighbours };
}

function clearKinds({ least, most }: { least: number; most: number }): void {
  for (let value = least; value <= most; value += 1) {
    equalNeighbours[value & 0xffff] = 0;
    kinds[value & 0xffff] = 0;
  }
}

/** The values with by far more equal neighbours than the values beside them. */
function spikes(least: number, most: number): number[] {
  const countOf = (value: number) => equalNeighbours[value & 0xffff] ?? 0;
  const found: { value: number; share: number }[] = [];
  for (let value = least; value <= most; value += 1) {
    const count = countOf(value);
    if (count < leastEqualNeighbours) continue;
    let beside = 0;
    for (let step = 1; step <= 4; step += 1) beside += countOf(value - step) + countOf(value + step);
    const share = (8 * count) / (8 + beside);
    if (share >= leastSpike) found.push({ value, share });
  }
  found.sort((left, right) => right.share - left.share);
  return found.slice(0, examinedValues).map(({ value }) => value);
}

interface Run {
  readonly left: number;
  readonly right: number;
  readonly mark: number;
}

/** Joins the runs of each row with those of the row above. */
function findMarks(plane: PixelPlane): Mark[] {
  const { samples, rows, columns } = plane;
  const marks: Mark[] = [];
  const joined: number[] = [];
  let above: Run[] = [];
  for (let row = 0; row < rows; row += 1) {
    const current: Run[] = [];
    let firstAbove = 0;
    const start = row * columns;
    for (let column = 0; column < columns; column += 1) {
      const kind = kinds[(samples[start + column] as number) & 0xffff] as number;
      if (kind === 0) continue;
      const left = column;
      while (column + 1 < columns && kinds[(samples[start + column + 1] ?? 0) & 0xffff] === kind) column += 1;
      const fresh = createMark(plane, { kind, row, left, right: column });
      let mark = marks.push(fresh) - 1;
      joined.push(mark);
      while ((above[firstAbove]?.right ?? columns) < left - 1) firstAbove += 1;
      for (let index = firstAbove; (above[index]?.left ?? columns + 2) <= column + 1; index += 1) {
        const other = rootOf(joined, above[index]?.mark ?? mark);
        if (marks[other]?.kind === kind)
          mark = join(marks, joined, { into: other, from: rootOf(joined, mark) });
      }
      current.push({ left, right: column, mark });
    }
    above = current;
  }
  return marks.filter((_, index) => joined[index] === index);
}

function createMark(
  { samples, columns }: PixelPlane,
  { kind, row, left, right }: { kind: number; row: number; left: number; right: number },
): Mark {
  const start = row * columns;
  let steps = 0;
  let stepCount = 0;
  if (left > 0) {
    steps += Math.abs((samples[start + left] ?? 0) - (samples[start + left - 1] ?? 0));
    stepCount += 1;
  }
  if (right + 1 < columns) {
    steps += Math.abs((samples[start + right] ?? 0) - (samples[start + right + 1] ?? 0));
    stepCount += 1;
  }
  return { kind, top: row, bottom: row, left, right, area: right - left + 1, steps, stepCount };
}

function rootOf(joined: number[], mark: number): number {
  let root = mark;
  while (joined[root] !== root) {
    joined[root] = joined[joined[root] ?? root] ?? root;
    root = joined[root] ?? root;
  }
  return root;
}

function join(marks: Mark[], joined: number[], { into, from }: { into: number; from: number }): number {
  const [target, source] = [marks[into], marks[from]];
  if (into === from || target === undefined || source === undefined) return into;
  joined[from] = into;
  target.top = Math.min(target.top, source.top);
  target.bottom = Math.max(target.bottom, source.bottom);
  target.left = Math.min(target.left, source.left);
  target.right = Math.max(target.right, source.right);
  target.area += source.area;
  target.steps += source.steps;
  target.stepCount += source.stepCount;
  return into;
}

function isGlyph(mark: Mark, { rows, columns }: PixelPlane, leastStep: number): boolean {
  const height = mark.bottom - mark.top + 1;
  const width = mark.right - mark.left + 1;
  if (height < leastGlyphRows || height > Math.min(mostGlyphRows, rows / 3)) return false;
  if (width > Math.min(2 * height, columns / 3)) return false;
  const isUpright = width <= 0.45 * height;
  const filled = mark.area / (width * height);
  if (filled < 0.12 || (filled > 0.85 && !isUpright)) return false;
  return mark.stepCount > 0 && mark.steps / mark.stepCount >= leastStep;
}

/** Whether some glyphs stand on one line, of one height, one after the other, and not all of them are mere strokes. */
function hasLine(glyphs: readonly Mark[]): boolean {
  const sorted = [...glyphs].sort((one, other) => one.kind - other.kind || one.left - other.left);
  const lengths = new Uint16Array(sorted.length).fill(1);
  const shaped = Uint16Array.from(sorted, (glyph) => (isStroke(glyph) ? 0 : 1));
  for (const [index, glyph] of sorted.entries()) {
    for (let before = index - 1; before >= 0 && sorted[before]?.kind === glyph.kind; before -= 1) {
      const other = sorted[before];
      if (other === undefined || !follows(other, glyph)) continue;
      if ((lengths[before] ?? 0) + 1 <= (lengths[index] ?? 0)) continue;
      lengths[index] = (lengths[before] ?? 0) + 1;
      shaped[index] = (shaped[before] ?? 0) + (isStroke(glyph) ? 0 : 1);
    }
    if ((lengths[index] ?? 0) >= leastGlyphsOfLine && (shaped[index] ?? 0) >= 2) return true;
  }
  return false;
}

function isStroke({ left, right, top, bottom }: Mark): boolean {
  return right - left + 1 <= 0.35 * (bottom - top + 1);
}

function follows(other: Mark, glyph: Mark): boolean {
  const height = Math.max(other.bottom - other.top, glyph.bottom - glyph.top) + 1;
  const slack = Math.max(1, Math.round(height / 10));
  if (Math.abs(other.bottom - glyph.bottom) > slack || Math.abs(other.top - glyph.top) > slack) return false;
  const gap = glyph.left - other.right - 1;
  return gap >= 0 && gap <= 1.5 * height;
}
