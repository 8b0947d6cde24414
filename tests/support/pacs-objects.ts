// Small MR slices in ten transfer syntaxes, each with UIDs of its own, and their data sets as bytes.
import { inflateRawSync } from 'node:zlib';
import { type DicomElement, type DicomFile, encodeDicom } from '#site/deidentify/index.ts';
import { compressedSamples } from './compressed-object.ts';
import {
  dataSet,
  dicomFile,
  element,
  mrImageStorage,
  mrSlice,
  nativeSyntaxes,
  writeDicom,
} from './dicom-object.ts';

export interface PacsObject {
  /** How storescu is told to propose this syntax. */
  readonly option: string;
  readonly sopInstanceUid: string;
  readonly bytes: Buffer;
}

const nativeOptions = { explicit: '-xe', implicit: '-xi', 'big-endian': '-xb', deflated: '-xd' } as const;
const compressedOptions: Readonly<Record<string, string>> = {
  '.4.50': '-xy',
  '.4.51': '-xx',
  '.4.70': '-xs',
  '.4.80': '-xt',
  '.4.90': '-xv',
  '.5': '-xr',
};

/** `count` objects in each of ten transfer syntaxes: implicit, explicit, big endian, deflated, JPEG (8 bit, 12 bit, lossless), JPEG-LS, JPEG 2000, RLE. */
export async function makePacsObjects(count: number): Promise<PacsObject[]> {
  const compressed = (await compressedSamples(32, 32)).filter(({ name }) => name in compressedOptions);
  const objects: PacsObject[] = [];
  const name = (
    file: DicomFile,
    syntaxNumber: number,
    number: number,
  ): DicomFile & { readonly uid: string } => {
    const uid = `1.2.826.0.1.3680043.10.999.${syntaxNumber}.${number}`;
    const own: DicomElement[] = [
      element(0x00080018, uid),
      element(0x0020000d, `1.2.826.0.1.3680043.10.999.${syntaxNumber}`),
      element(0x0020000e, `1.2.826.0.1.3680043.10.999.${syntaxNumber}.0`),
      element(0x00100020, `MRN-${syntaxNumber}`),
    ];
    const meta = dataSet(
      element(0x00020002, mrImageStorage),
      element(0x00020003, uid),
      element(0x00020012, '1.2.3'),
    );
    return { ...file, uid, meta, dataSet: dataSet(...file.dataSet.elements, ...own) };
  };
  for (let number = 1; number <= count; number++) {
    for (const [index, syntax] of nativeSyntaxes.entries()) {
      const pixels = new Uint16Array(32 * 32).fill(number);
      const file = name(dicomFile(mrSlice({ rows: 32, columns: 32, pixels })), index + 1, number);
      objects.push({
        option: nativeOptions[syntax],
        sopInstanceUid: file.uid,
        bytes: writeDicom(file, syntax),
      });
    }
    for (const [index, sample] of compressed.entries()) {
      const file = name(sample.file, index + 5, number);
      const option = compressedOptions[sample.name] ?? '';
      objects.push({ option, sopInstanceUid: file.uid, bytes: Buffer.from(encodeDicom(file)) });
    }
  }
  return objects;
}

/** The data set of a Part 10 file, inflated where it is deflated: two deflaters seldom write the same bytes. */
export function dataSetBytes(file: Buffer): Buffer {
  const lengthAt = 132 + 8;
  const start = lengthAt + 4 + file.readUInt32LE(lengthAt);
  const isDeflated = file.subarray(0, start).includes('1.2.840.10008.1.2.1.99');
  return isDeflated ? inflateRawSync(file.subarray(start)) : file.subarray(start);
}

export function transferSyntaxOf(file: Buffer): string {
  const at = file.indexOf(Buffer.from([0x02, 0x00, 0x10, 0x00]), 132);
  return file.toString('latin1', at + 8, at + 8 + file.readUInt16LE(at + 6)).replace(/\0+$/, '');
}
