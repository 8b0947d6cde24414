// The tumour study's images as examples of a model, where CONSILIUM_DATA names the folder that holds them: each number is held to another
// reading of the same files, by another parser and in whole numbers.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import dicomParser, { type DataSet } from 'dicom-parser';
import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import { openConsents } from '#site/consent/index.ts';
import type { ExampleSource } from '#site/imaging/index.ts';
import { openWithdrawals } from '#site/withdrawal.ts';
import { type IngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { plainDays } from '#support/stored-subjects.ts';
import {
  hasTumourData,
  inOrder,
  openTumourExamples,
  openTumourSite,
  tumourData,
} from '#support/tumour-site.ts';

if (!hasTumourData)
  process.stderr.write('no tumour is read: CONSILIUM_DATA does not name a folder with lgg-mri\n');

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

async function siteWith(folders: readonly string[]): Promise<IngestSite> {
  const site = await openTumourSite(folders);
  opened.push(site);
  return site;
}

async function openExamples(
  ...[site, size, part]: Parameters<typeof openTumourExamples>
): Promise<ExampleSource> {
  const source = await openTumourExamples(site, size, part);
  opened.push(source);
  return source;
}

interface PatientSums {
  slices: number;
  maskPixels: number;
  tumourSlices: number;
  /** Of all inputs, to six digits. */
  intensity: string;
}

async function sumsOf(source: ExampleSource): Promise<PatientSums[]> {
  const sums = Array.from({ length: source.unitCount }, () => ({
    slices: 0,
    maskPixels: 0,
    tumourSlices: 0,
    total: 0,
  }));
  for await (const { examples, inputs, targets } of source.stream(inOrder(source))) {
    const pixelCount = inputs.length / examples.length;
    for (const [place, example] of examples.entries()) {
      const unit = sums[source.unitOf(example)];
      if (unit === undefined) throw new Error('an example of nobody');
      const range = [place * pixelCount, (place + 1) * pixelCount] as const;
      const mask = targets.subarray(...range).reduce((sum, pixel) => sum + pixel, 0);
      unit.slices += 1;
      unit.maskPixels += mask;
      unit.tumourSlices += Number(mask > 0);
      unit.total += inputs.subarray(...range).reduce((sum, value) => sum + value, 0);
    }
  }
  return sums.map(({ total, ...sum }) => ({ ...sum, intensity: total.toPrecision(6) }));
}

const inSomeOrder = (sums: readonly PatientSums[]) => sums.map((sum) => JSON.stringify(sum)).sort();

const patientsOf = (hospital: string) =>
  readdirSync(path.join(tumourData, hospital)).map((patient) => path.join(tumourData, hospital, patient));

describe('the tumour study’s examples', () => {
  const manifest = hasTumourData
    ? readFileSync(path.join(tumourData, 'manifest.csv'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => row.split(','))
    : [];

  it.runIf(hasTumourData).each(['CS', 'DU', 'FG', 'HT'])(
    'of %s are every slice of every patient, with every pixel that was marked, as the manifest counts them',
    async (hospital) => {
      const site = await siteWith([path.join(tumourData, hospital)]);
      const found: string[] = [];
      for (const part of ['training', 'holdout'] as const)
        for (const { slices, tumourSlices, maskPixels } of await sumsOf(await openExamples(site, 128, part)))
          found.push(`${slices} ${tumourSlices} ${maskPixels}`);
      const rows = manifest.filter(([of]) => of === hospital);
      const expected = rows.map(
        ([, , , , slices, tumourSlices, pixels]) => `${slices} ${tumourSlices} ${pixels}`,
      );
      expect(found.sort()).toEqual(expected.sort());
    },
    240_000,
  );

  it.runIf(hasTumourData)(
    'are in the plan’s size what another reading of the files makes of them',
    async () => {
      const folders = patientsOf('FG');
      const site = await siteWith(folders);
      const found = [
        ...(await sumsOf(await openExamples(site, 64, 'training'))),
        ...(await sumsOf(await openExamples(site, 64, 'holdout'))),
      ];
      expect(inSomeOrder(found)).toEqual(inSomeOrder(folders.map(independentSums)));
    },
    240_000,
  );

  it.runIf(hasTumourData)(
    'are the same bytes in whatever order the files came, and of a patient who withdrew nothing is left',
    async () => {
      const folders = patientsOf('CS');
      const digestOf = async (site: IngestSite) => {
        const source = await openExamples(site, 64, 'training');
        const hash = createSha256();
        for await (const { inputs, targets } of source.stream(inOrder(source))) {
          hash.update(new Uint8Array(inputs.buffer));
          hash.update(new Uint8Array(targets.buffer));
        }
        return `${source.count} ${toHex(hash.digest())}`;
      };
      const site = await siteWith(folders);
      const reversed = await siteWith(
        folders.flatMap((folder) => ['SEG', 'FLAIR'].map((name) => path.join(folder, name))).reverse(),
      );
      expect(await digestOf(reversed)).toBe(await digestOf(site));

      const summaries = () => site.store.prepareColumn('SELECT count(*) FROM series_summary').get();
      const before = Number(summaries());
      const { subject_id: subjectId } = site.store
        .prepare(
          `SELECT subject_id FROM series_summary JOIN imaging_series USING (imaging_series_no)
          JOIN imaging_study USING (imaging_study_no) JOIN subject USING (subject_no) LIMIT 1`,
        )
        .get() as { subject_id: string };
      const { store, auditLog, subjects, ingest } = site;
      const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
      const { linkageKey } = siteKeys;
      const withdrawals = openWithdrawals({ store, auditLog, consents, subjects, ingest, linkageKey });
      await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
      expect(summaries()).toBe(before - 1);
    },
    240_000,
  );
});

/** Of one patient's uncompressed files: percentile by sorting, means of two by two, and the mask's pixel at the centre of each four. */
function independentSums(folder: string): PatientSums {
  const read = (file: string) => dicomParser.parseDicom(readFileSync(file));
  const images = readdirSync(path.join(folder, 'FLAIR')).map((name) =>
    read(path.join(folder, 'FLAIR', name)),
  );
  const pixels = images.map(wordsOf);
  const sorted = Uint16Array.from(pixels.flatMap((words) => [...words])).sort();
  const percentile = sorted[Math.ceil((99.5 * sorted.length) / 100) - 1] ?? Number.NaN;
  const marked = markedBits(read(path.join(folder, 'SEG', 'seg.dcm')));
  const sums = { slices: images.length, maskPixels: 0, tumourSlices: 0 };
  for (const image of images) {
    const bits = marked.get(image.string('x00080018') ?? '');
    let count = 0;
    for (let row = 1; row < 128; row += 2)
      for (let column = 1; column < 128; column += 2) count += bits?.(row * 128 + column) ?? 0;
    sums.maskPixels += count;
    sums.tumourSlices += Number(count > 0);
  }
  // Each input is the mean of four pixels: their sum is a quarter of all.
  const total = pixels.reduce((all, words) => all + words.reduce((sum, word) => sum + word, 0), 0);
  return { ...sums, intensity: (total / 4 / percentile).toPrecision(6) };
}

function wordsOf(image: DataSet): Uint16Array {
  const element = image.elements.x7fe00010;
  if (element === undefined) throw new Error('an image without pixels');
  const { buffer, byteOffset } = image.byteArray;
  const view = new DataView(buffer, byteOffset + element.dataOffset, element.length);
  return Uint16Array.from({ length: element.length / 2 }, (_, at) => view.getUint16(2 * at, true));
}

/** By UID of the image that a frame was drawn on: its bits, by pixel. */
function markedBits(segmentation: DataSet): Map<string, (pixel: number) => number> {
  const start = segmentation.elements.x7fe00010?.dataOffset ?? 0;
  const items = segmentation.elements.x52009230?.items ?? [];
  return new Map(
    items.map((item, frame) => {
      const derivation = item.dataSet?.elements.x00089124?.items?.[0]?.dataSet;
      const source = derivation?.elements.x00082112?.items?.[0]?.dataSet?.string('x00081155') ?? '';
      const bitAt = (pixel: number) => {
        const bit = frame * 128 * 128 + pixel;
        return ((segmentation.byteArray[start + Math.floor(bit / 8)] ?? 0) >> (bit % 8)) & 1;
      };
      return [source, bitAt];
    }),
  );
}
