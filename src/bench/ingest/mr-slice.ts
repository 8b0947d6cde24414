// Generated MR slices as scanners export them: 256 x 256 pixels of 16 bits, 97 elements and 4 KB of private ones, 137 KB in all. Every
// slice is another one, and every patient, imaging study and series has its own identifiers.
import { type DicomElement, type DicomFile, encodeDicom } from '#site/deidentify/index.ts';

export interface SliceShape {
  /** Height and width. */
  readonly size: number;
  readonly slicesInSeries: number;
  readonly slicesOfPatient: number;
}

export const mrSliceShape: SliceShape = { size: 256, slicesInSeries: 50, slicesOfPatient: 200 };

const mrImageStorage = '1.2.840.10008.5.1.4.1.1.4';
const explicitLittleEndian = '1.2.840.10008.1.2.1';
const privateBytes = 4_096;

/** The bytes of slice number `index`. */
export function encodeMrSlice(index: number, shape: SliceShape = mrSliceShape): Uint8Array {
  const series = Math.floor(index / shape.slicesInSeries);
  const patient = Math.floor(index / shape.slicesOfPatient);
  const instanceUid = `1.2.826.0.1.3680043.9.7433.1.${patient}.${series}.${index}`;
  const elements = [
    ...headerElements({ index, series, patient, instanceUid }),
    ...fillerElements(),
    ...privateElements(),
    ...imageElements(index, shape),
  ].sort((left, right) => left.tag - right.tag);
  const file: DicomFile = {
    meta: {
      elements: [
        text(0x00020002, 'UI', mrImageStorage),
        text(0x00020003, 'UI', instanceUid),
        text(0x00020012, 'UI', '1.2.826.0.1.3680043.9.7433.2'),
      ],
    },
    dataSet: { elements },
    transferSyntaxUid: explicitLittleEndian,
    isLittleEndian: true,
    notes: [],
  };
  return encodeDicom(file);
}

interface SliceNumbers {
  readonly index: number;
  readonly series: number;
  readonly patient: number;
  readonly instanceUid: string;
}

function headerElements({ index, series, patient, instanceUid }: SliceNumbers): DicomElement[] {
  const uidOf = (kind: number, number: number): string => `1.2.826.0.1.3680043.9.7433.${kind}.${number}`;
  const day = String(1 + (series % 28)).padStart(2, '0');
  return [
    text(0x00080005, 'CS', 'ISO_IR 100'),
    text(0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\M\\SE'),
    text(0x00080016, 'UI', mrImageStorage),
    text(0x00080018, 'UI', instanceUid),
    text(0x00080020, 'DA', `200403${day}`),
    text(0x00080021, 'DA', `200403${day}`),
    text(0x00080022, 'DA', `200403${day}`),
    text(0x00080023, 'DA', `200403${day}`),
    text(0x00080030, 'TM', '101500'),
    text(0x00080031, 'TM', '101712.250000'),
    text(0x00080032, 'TM', '101715.750000'),
    text(0x00080033, 'TM', '101716.500000'),
    text(0x00080050, 'SH', `A${series}`),
    text(0x00080060, 'CS', 'MR'),
    text(0x00080070, 'LO', 'Example Medical'),
    text(0x00080080, 'LO', 'A hospital'),
    text(0x00080090, 'PN', 'Referring^Doctor'),
    text(0x00081010, 'SH', 'MR1'),
    text(0x00081030, 'LO', 'Brain with contrast'),
    text(0x0008103e, 'LO', 't1_se_tra'),
    text(0x00081050, 'PN', 'Performing^Doctor'),
    text(0x00081070, 'PN', 'Operator^One'),
    text(0x00081090, 'LO', 'Model 3'),
    text(0x00100010, 'PN', `Family${patient}^Given${patient}`),
    text(0x00100020, 'LO', `MRN${100_000 + patient}`),
    text(0x00100030, 'DA', '19500501'),
    text(0x00100040, 'CS', patient % 2 === 0 ? 'F' : 'M'),
    text(0x00101010, 'AS', '053Y'),
    text(0x00101030, 'DS', '71.5'),
    text(0x00180015, 'CS', 'BRAIN'),
    text(0x00180050, 'DS', '5'),
    text(0x0020000d, 'UI', uidOf(3, patient)),
    text(0x0020000e, 'UI', uidOf(4, series)),
    text(0x00200010, 'SH', `S${patient}`),
    text(0x00200011, 'IS', String(series)),
    text(0x00200013, 'IS', String(index)),
    text(0x00200032, 'DS', `-120\\-120\\${(index % 50) * 5}`),
    text(0x00200037, 'DS', '1\\0\\0\\0\\1\\0'),
    text(0x00200052, 'UI', uidOf(5, patient)),
  ];
}

/** What else a scanner says: sequence, timing, coil. */
function fillerElements(): DicomElement[] {
  const elements = [
    ...[0x00180020, 0x00180021, 0x00180022, 0x00180023].map((tag) => text(tag, 'CS', 'SE')),
    ...[
      0x00180080, 0x00180081, 0x00180083, 0x00180084, 0x00180087, 0x00180088, 0x00180093, 0x00180094,
      0x00180095,
    ].map((tag) => text(tag, 'DS', '12.5')),
    ...[0x00180089, 0x00180091, 0x00181041].map((tag) => text(tag, 'IS', '1')),
    text(0x00180024, 'SH', 'se2d1'),
    text(0x00180025, 'CS', 'N'),
    text(0x00180085, 'SH', '1H'),
    text(0x00180086, 'IS', '1'),
    text(0x00181000, 'LO', '12345'),
    text(0x00181020, 'LO', 'syngo MR'),
    text(0x00181030, 'LO', 'Brain routine'),
    text(0x00181250, 'SH', 'Head'),
    text(0x00181251, 'SH', 'Body'),
    text(0x00181312, 'CS', 'ROW'),
    text(0x00181314, 'DS', '90'),
    text(0x00181315, 'CS', 'N'),
    text(0x00181316, 'DS', '0.05'),
    text(0x00185100, 'CS', 'HFS'),
    text(0x00201002, 'IS', '50'),
    text(0x00201040, 'LO', ''),
    text(0x00201041, 'DS', '12'),
    text(0x00321060, 'LO', 'Brain'),
    text(0x00400244, 'DA', '20040301'),
    text(0x00400245, 'TM', '101500'),
    text(0x00400253, 'SH', 'P1'),
    text(0x00400254, 'LO', 'Brain'),
  ];
  return elements;
}

const vendorBytes = new Uint8Array(privateBytes).fill(0x41);

function privateElements(): DicomElement[] {
  return [
    text(0x00290010, 'LO', 'SIEMENS CSA HEADER'),
    text(0x00291008, 'CS', 'IMAGE NUM 4'),
    { tag: 0x00291010, vr: 'OB', bytes: vendorBytes },
    text(0x00510010, 'LO', 'SIEMENS MR HEADER'),
    text(0x00511008, 'CS', 'IMAGE NUM 4'),
    text(0x0051100c, 'LO', 'FoV 240*240'),
  ];
}

function imageElements(index: number, { size }: SliceShape): DicomElement[] {
  const short = (tag: number, value: number): DicomElement => {
    const bytes = new Uint8Array(2);
    new DataView(bytes.buffer).setUint16(0, value, true);
    return { tag, vr: 'US', bytes };
  };
  return [
    short(0x00280002, 1),
    text(0x00280004, 'CS', 'MONOCHROME2'),
    short(0x00280010, size),
    short(0x00280011, size),
    text(0x00280030, 'DS', '0.9375\\0.9375'),
    short(0x00280100, 16),
    short(0x00280101, 12),
    short(0x00280102, 11),
    short(0x00280103, 0),
    short(0x00280106, 0),
    short(0x00280107, 4_095),
    text(0x00281050, 'DS', '600'),
    text(0x00281051, 'DS', '1200'),
    text(0x00281055, 'LO', 'WINDOW1'),
    { tag: 0x7fe00010, vr: 'OW', bytes: slicePixels(index, size) },
  ];
}

let lastHead: { readonly size: number; readonly pixels: Uint16Array } | undefined;

/** A head with tissue and noise, made once; each slice is rolled by another number of pixels. */
function slicePixels(index: number, size: number): Uint8Array {
  if (lastHead?.size !== size) lastHead = { size, pixels: drawHead(size) };
  const { pixels } = lastHead;
  const rolled = new Uint16Array(pixels.length);
  const by = (index * 7_919) % pixels.length;
  rolled.set(pixels.subarray(by));
  rolled.set(pixels.subarray(0, by), pixels.length - by);
  return new Uint8Array(rolled.buffer);
}

function drawHead(size: number): Uint16Array {
  const pixels = new Uint16Array(size * size);
  // A multiplicative congruential sequence (Lehmer 1951): the same noise on every machine.
  let noise = 1;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      noise = (noise * 48_271) % 2_147_483_647;
      const [x, y] = [(2 * column) / size - 1, (2 * row) / size - 1];
      const distance = Math.hypot(x / 0.7, y / 0.85);
      const tissue = distance > 1 ? 20 : 600 + 300 * Math.sin(9 * x) * Math.cos(7 * y) + 200 * (1 - distance);
      pixels[row * size + column] = Math.round(tissue) + (noise % 60);
    }
  }
  return pixels;
}

function text(tag: number, vr: string, value: string): DicomElement {
  return { tag, vr, bytes: Buffer.from(value, 'latin1') };
}
