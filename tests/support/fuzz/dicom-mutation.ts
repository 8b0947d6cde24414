// Mutations of DICOM files: lengths, VRs and tags of elements, transfer syntax, the numbers that describe the pixels.
import { byteMutations, type Mutation, type RandomSource } from './mutation.ts';

interface PlacedElement {
  /** Of the tag. */
  readonly at: number;
  readonly isLong: boolean;
  readonly valueAt: number;
  readonly length: number;
}

const longVrs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

/** Headers of an explicit little-endian file, sequences entered: a rough walk of this file's own, which need not be right. */
function placedElements(bytes: Buffer): PlacedElement[] {
  const found: PlacedElement[] = [];
  let at = 132;
  while (at + 8 <= bytes.length && found.length < 2_000) {
    if (bytes.readUInt16LE(at) === 0xfffe) {
      at += 8;
      continue;
    }
    const vr = bytes.toString('latin1', at + 4, at + 6);
    const isLong = longVrs.has(vr);
    const valueAt = at + (isLong ? 12 : 8);
    if (!/^[A-Z]{2}$/.test(vr) || valueAt > bytes.length) break;
    const length = isLong ? bytes.readUInt32LE(at + 8) : bytes.readUInt16LE(at + 6);
    found.push({ at, isLong, valueAt, length });
    at = vr === 'SQ' || length === 0xffffffff ? valueAt : valueAt + length;
  }
  return found;
}

const onElement =
  (change: (bytes: Buffer, element: PlacedElement, random: RandomSource) => void): Mutation =>
  (bytes, random, others) => {
    const elements = placedElements(bytes);
    if (elements.length === 0) return random.pick(byteMutations)(bytes, random, others);
    const changed = Buffer.from(bytes);
    change(changed, random.pick(elements), random);
    return changed;
  };

const changeLength = onElement((bytes, { at, isLong, length }, random) => {
  const long = [
    0,
    1,
    0xffffffff,
    0xfffffffe,
    0x7fffffff,
    length + 1,
    length + 2,
    length - 2,
    length * 2,
    bytes.length,
  ];
  if (isLong) bytes.writeUInt32LE(random.pick(long) >>> 0, at + 8);
  else
    bytes.writeUInt16LE(
      random.pick([0, 1, 0xffff, 0xfffe, length + 1, length + 2, length - 2, length * 2]) & 0xffff,
      at + 6,
    );
});

const changeVr = onElement((bytes, { at }, random) => {
  const vrs = [
    'UN',
    'SQ',
    'OB',
    'OW',
    'US',
    'SS',
    'UT',
    'IS',
    'DS',
    'UI',
    'FD',
    'AT',
    '??',
    '\0\0',
    'ox',
    'OF',
  ];
  bytes.write(random.pick(vrs), at + 4, 'latin1');
});

const changeTag = onElement((bytes, { at }, random) => {
  const tags = [
    0xfffee000, 0xfffee00d, 0xfffee0dd, 0x00020010, 0x7fe00010, 0x00080005, 0x00280010, 0x52009230,
    0x00091001,
  ];
  const tag = random.pick(tags);
  bytes.writeUInt16LE(Math.floor(tag / 0x10000), at);
  bytes.writeUInt16LE(tag % 0x10000, at + 2);
});

const changeValue = onElement((bytes, { valueAt, length }, random) => {
  const texts = [
    '-1',
    '0',
    '1e999',
    '99999999999999',
    'NaN',
    '\\\\\\\\',
    '../../x',
    '\x1b$B\x1b',
    '2147483648',
    "'; DROP",
  ];
  const end = Math.min(bytes.length, valueAt + Math.min(length, 64));
  if (random.below(2) === 0) bytes.fill(random.pick([0, 1, 7, 0xff, 0x7f]), valueAt, end);
  else bytes.write(random.pick(texts), valueAt, Math.max(0, end - valueAt), 'latin1');
});

const syntaxes = [
  '',
  '.1',
  '.1.99',
  '.2',
  '.4.50',
  '.4.51',
  '.4.55',
  '.4.57',
  '.4.70',
  '.4.80',
  '.4.90',
  '.4.201',
  '.4.102',
  '.5',
  '.8.1',
];

/** Another transfer syntax: a UID of another length makes room for itself. */
const changeSyntax: Mutation = (bytes, random, others) => {
  const element = placedElements(bytes).find(({ at }) => bytes.readUInt32BE(at) === 0x02001000);
  if (element === undefined) return random.pick(byteMutations)(bytes, random, others);
  const uid = `1.2.840.10008.1.2${random.pick(syntaxes)}`;
  const value = Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`);
  const head = Buffer.from(bytes.subarray(0, element.valueAt));
  head.writeUInt16LE(value.length, element.valueAt - 2);
  return Buffer.concat([head, value, bytes.subarray(element.valueAt + element.length)]);
};

/** Nested sequences without end. */
const nest: Mutation = (bytes, random) => {
  const open = Buffer.from('080040115351 0000ffffffff feff00e0ffffffff'.replaceAll(' ', ''), 'hex');
  const depth = random.pick([1, 63, 64, 65, 1_000, 10_000]);
  const elements = placedElements(bytes);
  const at = elements.length === 0 ? bytes.length : random.pick(elements).at;
  return Buffer.concat([
    bytes.subarray(0, at),
    ...Array.from({ length: depth }, () => open),
    bytes.subarray(at),
  ]);
};

/** Flips bits in the second half of the file, where the pixels are: what reaches the decoders is whole but for that. */
const corruptPixels: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  const half = Math.floor(bytes.length / 2);
  for (let times = 1 + random.below(6); times > 0; times -= 1) {
    const at = half + random.below(bytes.length - half);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  }
  return changed;
};

const dicomMutations: readonly Mutation[] = [
  ...byteMutations,
  changeLength,
  changeLength,
  changeVr,
  changeTag,
  changeValue,
  changeValue,
  changeSyntax,
  nest,
  ...Array.from({ length: 6 }, () => corruptPixels),
];

/** One or two mutations of a file. */
export function mutateDicom(bytes: Buffer, random: RandomSource, others: readonly Buffer[]): Buffer {
  let changed = bytes;
  for (let times = 1 + random.below(2); times > 0 && changed.length > 0; times -= 1) {
    changed = random.pick(dicomMutations)(changed, random, others);
  }
  return changed;
}
