// Public DICOM files, where CONSILIUM_DATA has them, after de-identification: independent programs read every output and find no
// error in it that the source had not; and the check for drawn text holds on real images.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createUidMapper,
  type DicomFile,
  deidentifyDicom,
  encodeDicom,
  findElement,
  hasDrawnText,
} from '#site/deidentify/index.ts';
import { attributesOf } from '#site/ingest/dicom/attributes.ts';
import { openImage } from '#site/ingest/dicom/decode-frame.ts';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import { fastRandom, plantText } from '#support/drawn-text.ts';

const data = process.env.CONSILIUM_DATA ?? '';
const samples = path.join(data, 'dicom-samples');
const realImages = path.join(data, 'lgg-mri');
const hasSamples = data !== '' && existsSync(samples);
const hasRealImages = data !== '' && existsSync(realImages);
const hasProgram = (name: string) => spawnSync(name, ['--version']).error === undefined;
const hasDciodvfy = hasProgram('dciodvfy');
const hasDcmdump = hasProgram('dcmdump');
for (const [isThere, what] of [
  [hasSamples, 'dicom-samples under CONSILIUM_DATA'],
  [hasRealImages, 'lgg-mri under CONSILIUM_DATA'],
  [hasDciodvfy, 'dciodvfy (dicom3tools)'],
  [hasDcmdump, 'dcmdump (dcmtk)'],
] as const) {
  if (!isThere) process.stderr.write(`de-identified samples not tested in full: ${what} is not there\n`);
}

const directoryStorage = '1.2.840.10008.1.3.10';
const mapUid = createUidMapper(new Uint8Array(32).fill(6));
const folder = mkdtempSync(path.join(os.tmpdir(), 'deidentified-'));
afterAll(() => rmSync(folder, { recursive: true }));

function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function readable(file: string): DicomFile | undefined {
  try {
    const dicom = parseDicom(readFileSync(file));
    const isObject =
      attributesOf(dicom).uid(0x00080018) !== null &&
      !attributesOf({ ...dicom, dataSet: dicom.meta })
        .uids(0x00020002)
        .includes(directoryStorage);
    return isObject ? dicom : undefined;
  } catch {
    return undefined; // refused by name, as other tests show
  }
}

/** What dciodvfy finds wrong, without the values that it quotes. */
function errorsOf(file: string): Set<string> {
  const { stderr } = spawnSync('dciodvfy', [file], { encoding: 'latin1' });
  const lines = stderr.split('\n').filter((line) => line.startsWith('Error'));
  return new Set(lines.map((line) => line.replaceAll(/<[0-9.]+>/g, '<uid>')));
}

describe.runIf(hasSamples)('public DICOM files, de-identified', () => {
  it.runIf(hasDciodvfy && hasDcmdump)('open in dcmtk and have no error that the source had not', () => {
    const output = path.join(folder, 'output.dcm');
    const found: string[] = [];
    let count = 0;
    for (const file of filesIn(samples)) {
      const dicom = readable(file);
      if (dicom === undefined) continue;
      count += 1;
      writeFileSync(
        output,
        encodeDicom(deidentifyDicom(dicom, { subjectId: 'pseudonym', dateOffsetDays: 10, mapUid })),
      );
      const name = path.relative(samples, file);
      if (spawnSync('dcmdump', ['-q', output]).status !== 0) found.push(`${name}: dcmdump cannot read it`);
      const before = errorsOf(file);
      for (const error of errorsOf(output)) if (!before.has(error)) found.push(`${name}: ${error}`);
    }
    expect(found).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(115);
  });
});

describe.runIf(hasRealImages && hasSamples)('the check for drawn text on real MR and CT images', () => {
  it('takes none for drawn upon, and finds at least 95 of 100 texts that are drawn into them', async () => {
    const files = [
      ...filesIn(realImages).filter((file) => file.endsWith('.dcm') && !file.includes('SEG')),
      ...filesIn(samples),
    ];
    const falsely: string[] = [];
    const planted = { count: 0, found: 0 };
    let clean = 0;
    for (const [index, file] of files.entries()) {
      const dicom = index % 3 === 0 ? readable(file) : undefined;
      const frame = dicom === undefined ? undefined : await firstFrame(dicom);
      if (frame === undefined) continue;
      clean += 1;
      if (hasDrawnText(frame)) falsely.push(path.relative(data, file));
      if (!plantText(frame, fastRandom(index + 1))) continue;
      planted.count += 1;
      if (hasDrawnText(frame)) planted.found += 1;
    }
    process.stderr.write(
      `drawn text: ${planted.found} of ${planted.count} planted texts found, ${falsely.length} of ${clean} clean images suspected\n`,
    );
    expect(clean).toBeGreaterThan(300);
    expect(falsely).toEqual([]);
    expect(planted.found / planted.count).toBeGreaterThanOrEqual(0.95);
  });
});

/** The first frame of an MR or CT image, if it decodes to whole numbers. */
async function firstFrame(dicom: DicomFile) {
  if (findElement(dicom.dataSet, 0x7fe00010) === undefined) return undefined;
  try {
    if (!['MR', 'CT'].includes(attributesOf(dicom).text(0x00080060) ?? '')) return undefined;
    const frame = await openImage(dicom)?.decodeFrame(0);
    if (frame === undefined || frame.samplesPerPixel !== 1) return undefined;
    const { rows, columns } = frame;
    const plane = frame.samples.slice();
    return plane instanceof Uint16Array || plane instanceof Int16Array || plane instanceof Uint8Array
      ? { rows, columns, samples: plane }
      : undefined;
  } catch {
    return undefined; // no decoder, or broken on purpose
  }
}
