import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import { dataSet, dicomFile, element, mrSlice, nativeSyntaxes, writeDicom } from '#support/dicom-object.ts';
import type { DataSet, DicomElement } from './data-set.ts';
import { keywordOf, vrOf } from './dictionary.ts';
import { encodeDicom } from './encode-dicom.ts';

const jpeg2000 = '1.2.840.10008.1.2.4.90';

/** Tags of many VRs; sequences among them nest. */
const tags = [
  0x00080005, 0x00080060, 0x00081030, 0x00101010, 0x00102000, 0x00180050, 0x00181063, 0x0020000d, 0x00209161,
  0x00280009, 0x00280010, 0x00281201, 0x00400244, 0x00400555, 0x00480301, 0x00540220, 0x00660016, 0x7fe00009,
];

const value = fc
  .uint8Array({ maxLength: 20 })
  .map((bytes) => bytes.subarray(0, bytes.length - (bytes.length % 8)));

const { set } = fc.letrec<{ element: DicomElement; set: DataSet }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 4 },
    fc
      .tuple(fc.constantFrom(...tags.filter((tag) => vrOf(tag) !== 'SQ')), value)
      .map(([tag, bytes]) => element(tag, bytes)),
    fc
      .tuple(
        fc.constantFrom(...tags.filter((tag) => vrOf(tag) === 'SQ')),
        fc.array(tie('set'), { maxLength: 3 }),
      )
      .map(([tag, items]) => element(tag, items)),
  ),
  set: fc.array(tie('element'), { maxLength: 6 }).map((elements) => dataSet(...elements)),
}));

/** Plain numbers in the place of views, so that contents are compared. */
function plain(source: DataSet): unknown {
  return source.elements.map((each) =>
    'items' in each
      ? { tag: each.tag, items: each.items.map(plain) }
      : 'bytes' in each
        ? { tag: each.tag, vr: each.vr, bytes: Buffer.from(each.bytes).toString('hex') }
        : { ...each, fragments: each.fragments.map((fragment) => Buffer.from(fragment).toString('hex')) },
  );
}

const parse = (bytes: Uint8Array) => parseDicom(Buffer.from(bytes));

describe('a written DICOM file', () => {
  it('parses as what was written', () => {
    fc.assert(
      fc.property(set, (content) => {
        const whole = dataSet(...content.elements, element(0x00080018, '1.2.3.40'));
        expect(plain(parse(encodeDicom(dicomFile(whole))).dataSet)).toEqual(plain(whole));
      }),
      { numRuns: 300 },
    );
  });

  it.each(nativeSyntaxes)('is the same whether the object came %s', (syntax) => {
    const content = mrSlice(
      {},
      element(0x00280106, [3]),
      element(0x00281052, '-1024'),
      element(0x00081140, [dataSet(element(0x00081155, '1.2'))]),
    );
    const read = parseDicom(writeDicom(dicomFile(content), syntax));
    const written = encodeDicom({ ...read, meta: dicomFile(content).meta });
    expect(Buffer.from(written).equals(Buffer.from(encodeDicom(dicomFile(content))))).toBe(true);
    expect(keywordOf(0x00280106)).toBe('SmallestImagePixelValue');
  });

  it('begins with zeros and states the length of group 0002', () => {
    const bytes = Buffer.from(encodeDicom(dicomFile(mrSlice())));
    expect(bytes.subarray(0, 132).toString('latin1')).toBe(`${'\0'.repeat(128)}DICM`);
    expect(bytes.subarray(132, 140)).toEqual(Buffer.from([2, 0, 0, 0, 0x55, 0x4c, 4, 0]));
    const end = 144 + bytes.readUInt32LE(140);
    expect(bytes.readUInt16LE(end)).toBe(0x0008);
  });

  it('pads values, fragments and the basic offset table that counts them', () => {
    const pixels: DicomElement = {
      tag: 0x7fe00010,
      vr: 'OB',
      offsets: [0, 11, 21],
      fragments: [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5), Uint8Array.of(6)],
    };
    const file = dicomFile(dataSet(...mrSlice().elements, pixels), { transferSyntaxUid: jpeg2000 });
    const read = parse(encodeDicom(file));
    expect(read.transferSyntaxUid).toBe(jpeg2000);
    const found = read.dataSet.elements.at(-1);
    expect(found).toMatchObject({ offsets: [0, 12, 22] });
    expect(
      found !== undefined && 'fragments' in found && found.fragments.map((fragment) => fragment.length),
    ).toEqual([4, 2, 2]);
  });

  it('leaves the offset table empty when it points between the fragments', () => {
    const pixels: DicomElement = {
      tag: 0x7fe00010,
      vr: 'OB',
      offsets: [0, 5],
      fragments: [Uint8Array.of(1, 2)],
    };
    const file = dicomFile(dataSet(...mrSlice().elements, pixels), { transferSyntaxUid: jpeg2000 });
    expect(parse(encodeDicom(file)).dataSet.elements.at(-1)).toMatchObject({ offsets: [] });
  });

  it('writes a value that is too long for its VR as UN', () => {
    const long = new Uint8Array(70_000).fill(0x31);
    const read = parse(encodeDicom(dicomFile(mrSlice({}, element(0x00186011, long, 'DS')))));
    const found = read.dataSet.elements.find(({ tag }) => tag === 0x00186011);
    expect(found !== undefined && 'bytes' in found && found.bytes.length).toBe(70_000);
  });
});
