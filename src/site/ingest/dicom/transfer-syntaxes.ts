// Every transfer syntax of PS3.6 A that objects are stored in: what decodes it here, or that nothing does and the file is set aside.

export const implicitLittleEndian = '1.2.840.10008.1.2';
export const explicitLittleEndian = '1.2.840.10008.1.2.1';
export const deflatedExplicitLittleEndian = '1.2.840.10008.1.2.1.99';
/** Native pixels in fragments: a frame in each. */
export const encapsulatedUncompressed = '1.2.840.10008.1.2.1.98';
export const explicitBigEndian = '1.2.840.10008.1.2.2';

/** What turns the fragments of a frame into samples. `none` is for syntaxes that no part of this release decodes. */
export type PixelDecoder =
  | 'native'
  | 'rle'
  | 'deflate'
  | 'jpeg'
  | 'jpeg-lossless'
  | 'jpeg-ls'
  | 'jpeg-2000'
  | 'htj2k'
  | 'none';

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  readonly decoder: PixelDecoder;
  /** Whether samples come back as they went in. Null where the syntax allows both. */
  readonly isLossless: boolean | null;
}

const stem = '1.2.840.10008.1.2';
const rows: readonly (readonly [suffix: string, name: string, PixelDecoder, boolean | null])[] = [
  ['', 'Implicit VR Little Endian', 'native', true],
  ['.1', 'Explicit VR Little Endian', 'native', true],
  ['.1.98', 'Encapsulated Uncompressed Explicit VR Little Endian', 'native', true],
  ['.1.99', 'Deflated Explicit VR Little Endian', 'native', true],
  ['.2', 'Explicit VR Big Endian', 'native', true],
  ['.4.50', 'JPEG Baseline (Process 1)', 'jpeg', false],
  ['.4.51', 'JPEG Extended (Process 2 and 4)', 'jpeg', false],
  ['.4.53', 'JPEG Spectral Selection (Process 6 and 8)', 'jpeg', false],
  ['.4.55', 'JPEG Full Progression (Process 10 and 12)', 'jpeg', false],
  ['.4.57', 'JPEG Lossless (Process 14)', 'jpeg-lossless', true],
  ['.4.70', 'JPEG Lossless, First-Order Prediction (Process 14, Selection Value 1)', 'jpeg-lossless', true],
  ['.4.80', 'JPEG-LS Lossless', 'jpeg-ls', true],
  ['.4.81', 'JPEG-LS Near-Lossless', 'jpeg-ls', false],
  ['.4.90', 'JPEG 2000 (Lossless Only)', 'jpeg-2000', true],
  ['.4.91', 'JPEG 2000', 'jpeg-2000', null],
  ['.4.92', 'JPEG 2000 Part 2 Multi-component (Lossless Only)', 'none', true],
  ['.4.93', 'JPEG 2000 Part 2 Multi-component', 'none', null],
  ['.4.94', 'JPIP Referenced', 'none', null],
  ['.4.95', 'JPIP Referenced Deflate', 'none', null],
  ['.4.100', 'MPEG2 Main Profile / Main Level', 'none', false],
  ['.4.100.1', 'Fragmentable MPEG2 Main Profile / Main Level', 'none', false],
  ['.4.101', 'MPEG2 Main Profile / High Level', 'none', false],
  ['.4.101.1', 'Fragmentable MPEG2 Main Profile / High Level', 'none', false],
  ['.4.102', 'MPEG-4 AVC/H.264 High Profile / Level 4.1', 'none', false],
  ['.4.102.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1', 'none', false],
  ['.4.103', 'MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', 'none', false],
  ['.4.103.1', 'Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', 'none', false],
  ['.4.104', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 for 2D Video', 'none', false],
  ['.4.104.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 for 2D Video', 'none', false],
  ['.4.105', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 for 3D Video', 'none', false],
  ['.4.105.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 for 3D Video', 'none', false],
  ['.4.106', 'MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', 'none', false],
  ['.4.106.1', 'Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', 'none', false],
  ['.4.107', 'HEVC/H.265 Main Profile / Level 5.1', 'none', false],
  ['.4.108', 'HEVC/H.265 Main 10 Profile / Level 5.1', 'none', false],
  ['.4.110', 'JPEG XL Lossless', 'none', true],
  ['.4.111', 'JPEG XL JPEG Recompression', 'none', false],
  ['.4.112', 'JPEG XL', 'none', null],
  ['.4.201', 'High-Throughput JPEG 2000 (Lossless Only)', 'htj2k', true],
  ['.4.202', 'High-Throughput JPEG 2000 with RPCL Options (Lossless Only)', 'htj2k', true],
  ['.4.203', 'High-Throughput JPEG 2000', 'htj2k', null],
  ['.4.204', 'JPIP HTJ2K Referenced', 'none', null],
  ['.4.205', 'JPIP HTJ2K Referenced Deflate', 'none', null],
  ['.5', 'RLE Lossless', 'rle', true],
  ['.7.1', 'SMPTE ST 2110-20 Uncompressed Progressive Active Video', 'none', true],
  ['.7.2', 'SMPTE ST 2110-20 Uncompressed Interlaced Active Video', 'none', true],
  ['.8.1', 'Deflated Image Frame Compression', 'deflate', true],
];

export const transferSyntaxes: readonly TransferSyntax[] = rows.map(
  ([suffix, name, decoder, isLossless]) => ({
    uid: `${stem}${suffix}`,
    name,
    decoder,
    isLossless,
  }),
);

const byUid = new Map(transferSyntaxes.map((syntax) => [syntax.uid, syntax]));

/** The transfer syntax of a UID; undefined for one that is none of the standard's. */
export function transferSyntaxOf(uid: string): TransferSyntax | undefined {
  return byUid.get(uid);
}
