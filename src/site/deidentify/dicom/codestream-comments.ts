// Comments inside compressed images: JPEG and JPEG-LS COM and application segments (ITU-T T.81 B.2.4), JPEG 2000 COM (T.800 A.9.2),
// and what stands behind the end of a stream. Scanners and converters write names there; a table of attributes does not see them.
// Lengths stay, the text becomes zeros.

/** Application segments that decoders need: JFIF, SPIFF and colour of JPEG-LS, Adobe's colour transform. */
const neededSegments = new Set([0xe0, 0xe8, 0xee]);
const [startOfImage, endOfImage, startOfScan] = [0xd8, 0xd9, 0xda];
const [startOfCodestream, startOfTile, startOfData, jpeg2000Comment] = [0x4f, 0x90, 0x93, 0x64];

/** Bytes from `begin` to `end` that are text. */
interface TextRange {
  readonly begin: number;
  readonly end: number;
}

/** The fragments with their comments blanked, each the same array where it has none; a stream may be cut anywhere into fragments. */
export function withoutComments(fragments: readonly Uint8Array[]): readonly Uint8Array[] {
  const cleaned: Uint8Array[] = [];
  for (let first = 0; first < fragments.length; ) {
    let next = first + 1;
    while (next < fragments.length && textsOf(fragments[next]) === undefined) next += 1;
    cleaned.push(...blank(fragments.slice(first, next)));
    first = next;
  }
  return cleaned;
}

/** How the texts of a stream are found; undefined for what begins none. */
function textsOf(bytes: Uint8Array | undefined): ((stream: Uint8Array) => Iterable<TextRange>) | undefined {
  if (bytes?.[0] !== 0xff) return undefined;
  if (bytes[1] === startOfImage) return jpegTexts;
  return bytes[1] === startOfCodestream ? jpeg2000Texts : undefined;
}

/** @param fragments of one stream */
function blank(fragments: readonly Uint8Array[]): readonly Uint8Array[] {
  const find = textsOf(fragments[0]);
  if (find === undefined) return fragments;
  const stream = fragments.length === 1 ? (fragments[0] as Uint8Array) : Buffer.concat(fragments);
  let cleaned = stream;
  for (const { begin, end } of find(stream)) {
    // A Buffer's slice is no copy.
    if (cleaned === stream) cleaned = new Uint8Array(stream);
    cleaned.fill(0, begin, end);
  }
  if (cleaned === stream) return fragments;
  let at = 0;
  return fragments.map(({ length }) => {
    at += length;
    return cleaned.subarray(at - length, at);
  });
}

function* jpegTexts(stream: Uint8Array): Generator<TextRange> {
  for (let at = 2; at + 2 <= stream.length && stream[at] === 0xff; ) {
    const marker = stream[at + 1] ?? 0;
    if (marker === endOfImage) {
      yield* remains(stream, at + 2);
      return;
    }
    const length = marker === 0xff ? 0 : word(stream, at + 2);
    if (marker !== 0xff && length < 2) return;
    const isText = marker === 0xfe || (marker >= 0xe0 && marker <= 0xef && !neededSegments.has(marker));
    if (isText) yield { begin: at + 4, end: Math.min(at + 2 + length, stream.length) };
    at += marker === 0xff ? 1 : 2 + length;
    // Between two scans there may be comments again.
    if (marker === startOfScan) at = endOfScan(stream, at);
  }
}

/** Where the next marker stands: coded samples have bytes below 80 (in JPEG only 00) or restart markers behind FF. */
function endOfScan(stream: Uint8Array, begin: number): number {
  for (let at = begin; ; at += 1) {
    at = stream.indexOf(0xff, at);
    if (at === -1) return stream.length;
    const marker = stream[at + 1] ?? 0;
    if (marker >= 0x80 && marker !== 0xff && (marker < 0xd0 || marker > 0xd7)) return at;
  }
}

function* jpeg2000Texts(stream: Uint8Array): Generator<TextRange> {
  let tile = { begin: 0, length: 0 };
  for (let at = 2; at + 2 <= stream.length && stream[at] === 0xff; ) {
    const marker = stream[at + 1] ?? 0;
    if (marker === endOfImage) {
      yield* remains(stream, at + 2);
      return;
    }
    if (marker === startOfData) {
      // The last tile may leave its length out.
      if (tile.begin + tile.length <= at) return;
      at = tile.begin + tile.length;
      continue;
    }
    const length = word(stream, at + 2);
    if (length < 2) return;
    if (marker === startOfTile)
      tile = { begin: at, length: word(stream, at + 6) * 0x10000 + word(stream, at + 8) };
    // The kind of a comment stays: two bytes that say whether it is text.
    if (marker === jpeg2000Comment) yield { begin: at + 6, end: Math.min(at + 2 + length, stream.length) };
    at += 2 + length;
  }
}

/** What stands behind the end, but for padding. */
function* remains(stream: Uint8Array, begin: number): Generator<TextRange> {
  if (stream.subarray(begin).some((byte) => byte !== 0)) yield { begin, end: stream.length };
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
