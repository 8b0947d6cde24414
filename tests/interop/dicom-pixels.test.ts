// Every file of the public DICOM samples: stored pixel values equal to those of an independent decoder, or a refusal by name. Each
// syntax names its decoder: dcmtk for JPEG, JPEG-LS and RLE, gdcm for JPEG 2000, pydicom and numpy for what is not compressed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attributesOf } from '#site/ingest/dicom/attributes.ts';
import { openImage } from '#site/ingest/dicom/decode-frame.ts';
import { type DicomDecoder, openDicomDecoder } from '#site/ingest/dicom/dicom-decoder.ts';
import { DicomRefusal } from '#site/ingest/dicom/dicom-refusal.ts';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import type { PixelFrame } from '#site/ingest/dicom/pixel-frame.ts';
import { openSegmentation, sourcesOf } from '#site/ingest/dicom/segmentation.ts';
import { isInstalled, systemPackages } from '../../scripts/system-packages.ts';

const data = process.env.CONSILIUM_DATA;
const needed = ['dcmtk', 'libgdcm-tools', 'python3-pydicom', 'python3-numpy'];
const missing = [
  ...systemPackages
    .filter((entry) => needed.includes(entry.name) && !isInstalled(entry))
    .map(({ name }) => name),
  ...['dicom-samples', 'lgg-mri'].filter(
    (folder) => data === undefined || !existsSync(path.join(data, folder)),
  ),
];
if (missing.length > 0) {
  process.stderr.write(`pixels beside independent decoders not tested: ${missing.join(', ')} not there\n`);
}

/** What turns a compressed file into an uncompressed one, and how far lossy values may be off: one step of rounding in the DCT. */
const converters: Readonly<Record<string, { command: readonly string[]; tolerance: number }>> = {
  '.4.50': { command: ['dcmdjpeg', '--conv-never'], tolerance: 1 },
  '.4.51': { command: ['dcmdjpeg', '--conv-never'], tolerance: 1 },
  '.4.55': { command: ['dcmdjpeg', '--conv-never'], tolerance: 1 },
  '.4.57': { command: ['dcmdjpeg', '--conv-never'], tolerance: 0 },
  '.4.70': { command: ['dcmdjpeg', '--conv-never'], tolerance: 0 },
  '.4.80': { command: ['dcmdjpls'], tolerance: 0 },
  '.4.81': { command: ['dcmdjpls'], tolerance: 0 },
  '.4.90': { command: ['gdcmconv', '--raw'], tolerance: 0 },
  '.4.91': { command: ['gdcmconv', '--raw'], tolerance: 0 },
  '.5': { command: ['dcmdrle'], tolerance: 0 },
};
/** Files that the decoder of their syntax does not take. */
const ownConverter: Readonly<Record<string, readonly string[] | null>> = {
  // Its data set is implicit, against the standard.
  'pydicom/SC_rgb_jpeg.dcm': ['gdcmconv', '--raw'],
  // Run lengths of single bits, a frame no whole number of bytes: read by hand in the script.
  'pydicom-data/liver_nonbyte_aligned_rle.dcm': null,
};

const refused: Readonly<Record<string, readonly [code: string, field: string | null]>> = {
  'broken-derived/bits_allocated_zero.dcm': ['DICOM_BAD_VALUE', 'BitsAllocated'],
  'broken-derived/deep_nested_sequences.dcm': ['DICOM_TOO_DEEP', 'RequestAttributesSequence'],
  'broken-derived/empty.dcm': ['EMPTY_FILE', null],
  'broken-derived/gzip_named.dcm': ['NOT_RECOGNISED', null],
  'broken-derived/rle_bad_offsets.dcm': ['DICOM_BAD_FRAGMENTS', 'PixelData'],
  'broken-derived/text_named.dcm': ['NOT_RECOGNISED', null],
  'broken-derived/truncated_in_pixeldata.dcm': ['TRUNCATED', 'PixelData'],
  'broken-derived/unknown_transfer_syntax.dcm': ['TRANSFER_SYNTAX_NOT_DECODED', 'TransferSyntaxUID'],
  // An element twice, with blanks for its VR, and out of step after it: dcmdump gives up on it too.
  'fo-dicom/GH179B.dcm': ['DICOM_BAD_VR', 'PixelPaddingValue'],
  // No SamplesPerPixel and no PhotometricInterpretation: pydicom does not know either.
  'fo-dicom/GH340.dcm': ['DICOM_BAD_VALUE', 'SamplesPerPixel'],
  // A command group of 337 MB behind the last element: dcmdump gives up on it too.
  'fo-dicom/GH626.dcm': ['DICOM_BAD_STRUCTURE', null],
  'pydicom/meta_missing_tsyntax.dcm': ['DICOM_BAD_VALUE', 'Rows'],
  // One stray byte before the first element.
  'pydicom/no_meta.dcm': ['NOT_RECOGNISED', null],
  'pydicom/rtplan_truncated.dcm': ['TRUNCATED', 'BeamSequence'],
  'pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm': ['TRUNCATED', 'PixelData'],
};

interface ReadFile {
  readonly name: string;
  readonly source: string;
  readonly suffix: string;
  readonly frames: readonly PixelFrame[];
  readonly patientName: string | null;
  readonly elapsedMs: number;
}

interface Answer {
  readonly name?: string | null;
  readonly count?: number;
  readonly failed?: string;
}

const folder = mkdtempSync(path.join(tmpdir(), 'pixels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function filesUnder(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/README|\.csv$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function read(root: string, name: string): Promise<ReadFile | readonly [string, string | null]> {
  const source = path.join(root, name);
  const startedMs = performance.now();
  try {
    const file = parseDicom(readFileSync(source));
    const image = openImage(file);
    const frames: PixelFrame[] = [];
    for (let index = 0; index < (image?.description.frameCount ?? 0); index += 1) {
      frames.push((await image?.decodeFrame(index)) as PixelFrame);
    }
    return {
      name,
      source,
      suffix: file.transferSyntaxUid.replace('1.2.840.10008.1.2', ''),
      frames,
      patientName: attributesOf(file).text(0x00100010),
      elapsedMs: performance.now() - startedMs,
    };
  } catch (error) {
    if (error instanceof DicomRefusal) return [error.code, error.field];
    throw error;
  }
}

/** The path of a file with the same pixels that pydicom reads without a decoder; null where there are none. */
function uncompressed({ name, source, suffix, frames }: ReadFile, index: number): string | null {
  if (frames.length === 0) return null;
  const command = name in ownConverter ? ownConverter[name] : converters[suffix]?.command;
  const [tool, ...options] = command ?? [];
  if (tool === undefined) return source;
  const target = path.join(folder, `${index}.dcm`);
  expect([name, spawnSync(tool, [...options, source, target]).status]).toEqual([name, 0]);
  return target;
}

function askPydicom(files: readonly ReadFile[]): Answer[] {
  const lines = files.map((file, index) =>
    JSON.stringify([file.source, uncompressed(file, index), path.join(folder, `${index}.values`)]),
  );
  const { stdout } = spawnSync(
    '/usr/bin/python3',
    [path.join(import.meta.dirname, 'independent_pixels.py')],
    {
      input: lines.join('\n'),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  );
  return stdout
    .trim()
    .split('\n')
    .map((line): Answer => JSON.parse(line));
}

/** The largest difference of any value; infinite where there are more or fewer. */
function largestDifference(frames: readonly PixelFrame[], index: number): number {
  const bytes = readFileSync(path.join(folder, `${index}.values`));
  const expected = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  if (frames.reduce((sum, { samples }) => sum + samples.length, 0) !== expected.length)
    return Number.POSITIVE_INFINITY;
  let largest = 0;
  let at = 0;
  for (const { samples } of frames) {
    for (const sample of samples) {
      largest = Math.max(largest, Math.abs(sample - (expected[at] ?? Number.NaN)));
      at += 1;
    }
  }
  return largest;
}

describe.runIf(missing.length === 0)('the public DICOM samples', () => {
  const root = path.join(data ?? '', 'dicom-samples');
  const names = missing.length === 0 ? filesUnder(root) : [];
  const readable: ReadFile[] = [];
  const refusals: Record<string, readonly [string, string | null]> = {};
  let answers: Answer[] = [];

  beforeAll(async () => {
    for (const name of names) {
      const outcome = await read(root, name);
      if ('frames' in outcome) readable.push(outcome);
      else refusals[name] = outcome;
    }
    answers = askPydicom(readable);
  });

  it('are all that the catalogue lists, and each is read or refused by name', () => {
    const catalogue = readFileSync(path.join(root, 'catalog.csv'), 'utf8').trim().split('\n').length - 1;
    expect(names).toHaveLength(catalogue);
    expect(refusals).toEqual(refused);
    expect(readable.length + Object.keys(refusals).length).toBe(catalogue);
    expect(readable.filter(({ elapsedMs }) => elapsedMs > 5_000)).toEqual([]);
  });

  it('have the pixel values of the independent decoders', () => {
    const wrong = readable.flatMap((file, index) => {
      if (file.frames.length === 0) return [];
      const difference = largestDifference(file.frames, index);
      return difference <= (converters[file.suffix]?.tolerance ?? 0)
        ? []
        : [{ name: file.name, difference, answer: answers[index] }];
    });
    expect(wrong).toEqual([]);
    const syntaxes = new Set(readable.filter(({ frames }) => frames.length > 0).map(({ suffix }) => suffix));
    expect([...syntaxes].sort()).toEqual(['', '.1', '.2', '.8.1', ...Object.keys(converters)].sort());
    expect(readable.filter(({ frames }) => frames.length > 0).length).toBeGreaterThanOrEqual(114);
  });

  it('have the patient names that pydicom reads, in every character set', () => {
    const inSets = readable.filter(({ name, patientName }) => /\/chr/.test(name) && patientName !== null);
    expect(inSets.length).toBeGreaterThanOrEqual(8);
    const differing = readable.flatMap(({ name, patientName }, index) => {
      const other = answers[index]?.name ?? '';
      // A name may end with an empty group, which pydicom leaves out.
      return (patientName ?? '').replace(/=+$/, '') === other.trim() ? [] : [{ name, patientName, other }];
    });
    expect(differing).toEqual([]);
  });

  it('are decoded or refused the same in a thread', async () => {
    const decoder: DicomDecoder = openDicomDecoder();
    try {
      for (const name of names) {
        const outcome = await decoder.check(readFileSync(path.join(root, name))).then(
          () => null,
          (error: unknown) => (error instanceof DicomRefusal ? [error.code, error.field] : error),
        );
        expect([name, outcome]).toEqual([name, refused[name] ?? null]);
      }
    } finally {
      await decoder.close();
    }
  });
});

describe.runIf(missing.length === 0)('brain tumours at four hospitals in four transfer syntaxes', () => {
  const root = path.join(data ?? '', 'lgg-mri');
  const rows =
    missing.length === 0
      ? readFileSync(path.join(root, 'manifest.csv'), 'utf8')
          .trim()
          .split(/\r?\n/)
          .slice(1)
          .map((line) => line.split(','))
      : [];
  const patients = rows.map(([site, , , , slices, , tumourPixels, , , flairSeries, , folderName]) => ({
    site: site ?? '',
    slices: Number(slices),
    tumourPixels: Number(tumourPixels),
    flairSeries: flairSeries ?? '',
    folder: folderName ?? '',
  }));

  it('have the pixels that pydicom reads, one patient of each', async () => {
    const firsts = ['CS', 'DU', 'FG', 'HT'].map(
      (site) => patients.find((patient) => patient.site === site)?.folder ?? '',
    );
    const files: ReadFile[] = [];
    for (const first of firsts) {
      for (const name of filesUnder(path.join(root, first, 'FLAIR'))) {
        files.push((await read(path.join(root, first, 'FLAIR'), name)) as ReadFile);
      }
    }
    askPydicom(files);
    expect(files.map(({ frames }, index) => largestDifference(frames, index))).toEqual(files.map(() => 0));
    // Deflated ones are given as they were after inflation.
    expect([...new Set(files.map(({ suffix }) => suffix))]).toEqual(['', '.5', '.1']);
  });

  it('have segmentations on the slices that they name, with every tumour pixel', async () => {
    expect(patients).toHaveLength(55);
    for (const { folder: patient, slices, tumourPixels, flairSeries } of patients) {
      const images = filesUnder(path.join(root, patient, 'FLAIR')).map((name) => {
        const attributes = attributesOf(parseDicom(readFileSync(path.join(root, patient, 'FLAIR', name))));
        return attributes.uid(0x00080018) ?? '';
      });
      const segmentation = openSegmentation(
        parseDicom(readFileSync(path.join(root, patient, 'SEG', 'seg.dcm'))),
      );
      expect(segmentation.kind).toBe('BINARY');
      expect(segmentation.segments).toHaveLength(1);
      expect(segmentation.seriesInstanceUid).toBe(flairSeries);
      let pixels = 0;
      for (const [index, frame] of segmentation.frames.entries()) {
        const [source] = sourcesOf(frame, []);
        expect(images).toContain(source);
        for (const share of await segmentation.decodeShares(index)) pixels += share;
      }
      expect([patient, images.length, pixels]).toEqual([patient, slices, tumourPixels]);
    }
  });
});
