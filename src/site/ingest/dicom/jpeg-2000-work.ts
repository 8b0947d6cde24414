// How many pieces a JPEG 2000 stream asks a decoder to keep (tiles, precincts, code-blocks, packets: T.800 B.3 to B.10), reckoned from
// its headers alone. Attack: precincts of one pixel, or 65,535 layers, in a stream of a hundred bytes, which fill a decoder's memory.

/** Pieces of any one kind; the largest radiographs have under 100,000 of them. */
const maxPieces = 1_048_576;
const maxPackets = 16_777_216;

export interface TiledImage {
  readonly columns: number;
  readonly rows: number;
  readonly tileColumns: number;
  readonly tileRows: number;
  readonly componentCount: number;
}

export interface CodingStyle {
  readonly layers: number;
  readonly levels: number;
  /** Width and height of code-blocks, as powers of two. */
  readonly blockExponents: readonly [number, number];
  /** Of each resolution, from the lowest: width and height of precincts as powers of two. */
  readonly precinctExponents: readonly (readonly [number, number])[];
}

/**
 * The coding style of a COD or COC segment without its marker and length; undefined where it is malformed.
 * @param layers of the COD that holds, for a COC
 */
export function parseCodingStyle(segment: Uint8Array, layers: number | null): CodingStyle | undefined {
  // A COC begins with its component, and has no progression, layers and component transform.
  const styleAt = layers === null ? 0 : 1;
  const at = layers === null ? 5 : 2;
  const [levels = 255, blockWidth = 255, blockHeight = 255] = segment.subarray(at);
  const style = segment[styleAt];
  if (style === undefined || levels > 32 || blockWidth > 8 || blockHeight > 8) return undefined;
  const precincts = segment.subarray(at + 5);
  const isStated = (style & 1) === 1;
  if (isStated && precincts.length < levels + 1) return undefined;
  return {
    layers: layers ?? (segment[2] ?? 0) * 0x100 + (segment[3] ?? 0),
    levels,
    blockExponents: [blockWidth + 2, blockHeight + 2],
    precinctExponents: Array.from({ length: levels + 1 }, (_, index) => {
      const exponents = isStated ? (precincts[index] ?? 0) : 0xff;
      return [exponents & 15, exponents >> 4] as const;
    }),
  };
}

/** Whether a decoder may be asked for so much. */
export function isBearable(image: TiledImage, style: CodingStyle): boolean {
  const { columns, rows, tileColumns, tileRows, componentCount } = image;
  if (tileColumns < 1 || tileRows < 1) return false;
  const tileCount = Math.ceil(columns / tileColumns) * Math.ceil(rows / tileRows);
  const [width, height] = [Math.min(columns, tileColumns), Math.min(rows, tileRows)];
  let precincts = 0;
  let blocks = 0;
  for (const [resolution, [precinctWidth, precinctHeight]] of style.precinctExponents.entries()) {
    const scale = 2 ** (style.levels - resolution);
    const [bandColumns, bandRows] = [Math.ceil(width / scale), Math.ceil(height / scale)];
    precincts += Math.ceil(bandColumns / 2 ** precinctWidth) * Math.ceil(bandRows / 2 ** precinctHeight);
    const blockWidth = 2 ** Math.min(style.blockExponents[0], precinctWidth);
    const blockHeight = 2 ** Math.min(style.blockExponents[1], precinctHeight);
    blocks += Math.ceil(bandColumns / blockWidth) * Math.ceil(bandRows / blockHeight);
  }
  const all = tileCount * componentCount;
  const packets = all * precincts * Math.max(1, style.layers);
  return (
    tileCount <= 65_535 && all * precincts <= maxPieces && all * blocks <= maxPieces && packets <= maxPackets
  );
}
