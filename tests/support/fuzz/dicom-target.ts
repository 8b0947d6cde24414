// Fuzz target: a mutated DICOM file is parsed, de-identified, written, read again and decoded, frame by frame; a segmentation is
// opened as one. Every refusal must be one of the closed set of codes.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createUidMapper, type DicomFile, deidentifyDicom, encodeDicom } from '#site/deidentify/index.ts';
import { attributesOf } from '#site/ingest/dicom/attributes.ts';
import { decodeImage } from '#site/ingest/dicom/decoded-image.ts';
import { DicomRefusal } from '#site/ingest/dicom/dicom-refusal.ts';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import { openSegmentation, segmentationStorage } from '#site/ingest/dicom/segmentation.ts';
import { reasonOf } from '#site/ingest/ingest-error.ts';
import { compressedSamples, writeCompressed } from '#support/compressed-object.ts';
import { dataSet, dicomFile, element, mrSlice, nativeSyntaxes, writeDicom } from '#support/dicom-object.ts';
import { mutateDicom } from './dicom-mutation.ts';
import { randomSource } from './mutation.ts';

const largestBase = 120_000;

/** Made here, so that a failing input is the same on every machine. */
async function ownBases(): Promise<Buffer[]> {
  const nested = element(
    0x00081140,
    [
      dataSet(
        element(0x00081150, '1.2.3'),
        element(0x00081155, '1.2.3.4'),
        element(0x0040a170, [dataSet(element(0x00080100, 'X'))], 'SQ'),
      ),
    ],
    'SQ',
  );
  const names = element(0x00100010, 'Doe^Jane=\x1b$B;3ED\x1b(B');
  const charset = element(0x00080005, '\\ISO 2022 IR 87');
  const slice = dicomFile(
    mrSlice(
      { rows: 16, columns: 16 },
      nested,
      names,
      charset,
      element(0x00091001, 'private', 'LO'),
      element(0x00090010, 'ACME'),
    ),
  );
  const frames = dicomFile(
    mrSlice({ rows: 4, columns: 4, pixels: new Uint16Array(48) }, element(0x00280008, '3 ')),
  );
  const native = nativeSyntaxes.flatMap((syntax) => [writeDicom(slice, syntax), writeDicom(frames, syntax)]);
  const compressed = (await compressedSamples()).map(({ file }) => writeCompressed(file));
  return [...native, ...compressed, writeDicom(segmentationFile(), 'explicit')];
}

function segmentationFile() {
  const source = dataSet(element(0x00081150, '1.2.3'), element(0x00081155, '1.2.3.4'));
  const frame = (segmentNumber: number) =>
    dataSet(
      element(0x00089124, [dataSet(element(0x00082112, [source], 'SQ'))], 'SQ'),
      element(0x0062000a, [dataSet(element(0x0062000b, [segmentNumber], 'US'))], 'SQ'),
      element(0x00209113, [dataSet(element(0x00200032, '0\\0\\5'))], 'SQ'),
    );
  const segment = dataSet(
    element(0x00620004, [1], 'US'),
    element(0x00620005, 'Tumour'),
    element(0x00620008, 'MANUAL'),
  );
  return dicomFile(
    mrSlice(
      { rows: 8, columns: 8, pixels: new Uint16Array(8).fill(0x5a5a) },
      element(0x00080016, segmentationStorage),
      element(0x00280008, '2 '),
      element(0x00280100, [1]),
      element(0x00280101, [1]),
      element(0x00280102, [0]),
      element(0x00620001, 'BINARY'),
      element(0x00620002, [segment], 'SQ'),
      element(0x52009230, [frame(1), frame(1)], 'SQ'),
    ),
  );
}

/** Of the public samples, where they are. */
function publicBases(): Buffer[] {
  const folder = path.join(process.env.CONSILIUM_DATA ?? '', 'dicom-samples');
  if (process.env.CONSILIUM_DATA === undefined || !existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/README|\.csv$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size > 0 && statSync(file).size <= largestBase)
    .sort()
    .map((file) => readFileSync(file));
}

let bases: Promise<readonly Buffer[]> | undefined;

/** The mutated file of a number; a seed that begins with `public` mutates the public samples. */
export async function mutatedDicom(seed: string, index: number): Promise<Buffer> {
  bases ??= seed.startsWith('public') ? Promise.resolve(publicBases()) : ownBases();
  const all = await bases;
  const random = randomSource(seed, index);
  return mutateDicom(random.pick(all), random, all);
}

const deidentification = { subjectId: 'S', dateOffsetDays: 40, mapUid: createUidMapper(new Uint8Array(32)) };

/** What is written must be readable: a refusal here is a fault of ours, not of the input. */
function deidentifyAndReadBack(file: DicomFile): void {
  const written = Buffer.from(encodeDicom(deidentifyDicom(file, deidentification)));
  try {
    parseDicom(written);
  } catch (error) {
    throw new Error(`what was written cannot be read: ${error instanceof DicomRefusal ? error.code : ''}`, {
      cause: error,
    });
  }
}

export async function attempt(seed: string, index: number): Promise<string> {
  const bytes = await mutatedDicom(seed, index);
  try {
    const file = parseDicom(bytes);
    if (attributesOf(file).text(0x00080016) === segmentationStorage) {
      const segmentation = openSegmentation(file);
      for (const [frameIndex] of segmentation.frames.entries()) await segmentation.decodeShares(frameIndex);
    }
    if (attributesOf(file).uid(0x00080018) !== null) deidentifyAndReadBack(file);
    const image = await decodeImage({ bytes, frameIndexes: null, isCheckOnly: false });
    return image === null ? 'read, without pixels' : 'read, with pixels';
  } catch (error) {
    if (!(error instanceof DicomRefusal) || !(error.code in reasonOf)) throw error;
    return error.code;
  }
}
