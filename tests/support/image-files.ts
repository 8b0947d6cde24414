// Small DICOM files for tests of the import: MR slices with what a test changes of them, a DICOMDIR, a segmentation.
import type { DicomElement } from '#site/deidentify/index.ts';
import { dataSet, dicomFile, element, mrSlice, writeDicom } from './dicom-object.ts';

export interface SliceIdentity {
  readonly patient?: string;
  readonly series?: number;
  readonly instance?: number;
}

/** One MR slice of 16 x 16 pixels; patient, series and instance number make its UIDs. */
export function sliceFile(
  { patient = 'MRN-1', series = 1, instance = 1 }: SliceIdentity,
  ...changes: readonly DicomElement[]
): Buffer {
  const pixels = Uint16Array.from({ length: 256 }, (_, index) => (index * 7 + instance) % 900);
  const root = `1.2.3.${[...patient].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1_000_003}`;
  const slice = mrSlice(
    { rows: 16, columns: 16, pixels },
    element(0x00080018, `${root}.${series}.${instance}`),
    element(0x00100010, `Planted${patient.replace(/\W/g, '')}^Given`),
    element(0x00100020, patient),
    element(0x00100030, '19500501'),
    element(0x00100040, 'F'),
    element(0x0020000d, root),
    element(0x0020000e, `${root}.${series}`),
    element(0x00200013, String(instance)),
    element(0x00280030, '0.5\\0.75'),
    ...changes,
  );
  return writeDicom(dicomFile(slice), 'explicit');
}

/** A slice without elements. */
export function sliceWithout(identity: SliceIdentity, ...tags: readonly number[]): Buffer {
  const slice = mrSlice({}, element(0x00100020, identity.patient ?? 'MRN-1'));
  const elements = slice.elements.filter(({ tag }) => !tags.includes(tag));
  return writeDicom(dicomFile({ elements }, { meta: dataSet() }), 'explicit');
}

/** A DICOMDIR that names files by their parts. */
export function directoryFile(...references: readonly string[]): Buffer {
  const records = references.map((reference) =>
    dataSet(element(0x00041430, 'IMAGE'), element(0x00041500, reference)),
  );
  const meta = dataSet(
    element(0x00020002, '1.2.840.10008.1.3.10'),
    element(0x00020003, '1.2.3.9'),
    element(0x00020012, '1.2.3'),
  );
  const content = dataSet(element(0x00041130, 'MEDIUM'), element(0x00041220, records));
  return writeDicom(dicomFile(content, { meta }), 'explicit');
}
