// Reads the values of a data set by tag: text in the character set that holds at its depth, numbers and UIDs checked, sequences as
// further attributes. A value that its VR cannot hold is refused by the element's keyword, never passed on.
import {
  type DataSet,
  type DicomElement,
  type DicomFile,
  isEncapsulated,
  isSequence,
  keywordOf,
  type ValueElement,
} from '#site/deidentify/index.ts';
import { type CharacterSet, decodeText, defaultCharacterSet, parseCharacterSet } from './character-set.ts';
import { DicomRefusal } from './dicom-refusal.ts';

const characterSetTag = 0x00080005;

/** Bytes of one number of a binary VR. */
const widthOf: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  OW: 2,
  AT: 4,
  UL: 4,
  SL: 4,
  FL: 4,
  OF: 4,
  OL: 4,
  FD: 8,
  OD: 8,
  OB: 1,
};

export class Attributes {
  readonly dataSet: DataSet;
  readonly isLittleEndian: boolean;
  readonly #characterSet: CharacterSet;
  readonly #byTag = new Map<number, DicomElement>();

  /** @throws DicomRefusal DICOM_BAD_VALUE for a character set that is none */
  constructor(dataSet: DataSet, isLittleEndian: boolean, inherited: CharacterSet = defaultCharacterSet) {
    this.dataSet = dataSet;
    this.isLittleEndian = isLittleEndian;
    for (const element of dataSet.elements) this.#byTag.set(element.tag, element);
    const terms = this.#byTag.has(characterSetTag) ? this.#split(characterSetTag, 'latin1') : null;
    const stated = terms === null ? inherited : parseCharacterSet(terms);
    if (stated === undefined) throw badValue(characterSetTag);
    this.#characterSet = stated;
  }

  has(tag: number): boolean {
    return this.#byTag.has(tag);
  }

  element(tag: number): DicomElement | undefined {
    return this.#byTag.get(tag);
  }

  /** The value field of an element that is there and no sequence or compressed pixels. */
  bytes(tag: number): Uint8Array | null {
    return this.#value(tag)?.bytes ?? null;
  }

  /** Values of a text element, without padding; none where it is absent or empty. */
  texts(tag: number): string[] {
    const texts = this.#split(tag, 'stated');
    return texts.length === 1 && texts[0] === '' ? [] : texts;
  }

  /** The first value of a text element; null where it is absent or empty. */
  text(tag: number): string | null {
    const [text] = this.texts(tag);
    return text === undefined || text === '' ? null : text;
  }

  /** Text that is one value whatever it holds: LT, ST, UT. */
  paragraph(tag: number): string | null {
    const element = this.#value(tag);
    if (element === undefined) return null;
    const text = decodeText(element.bytes, this.#characterSet).replace(/[\0 ]+$/, '');
    return text === '' ? null : text;
  }

  /**
   * A UID (PS3.5 9.1): digits and dots, 64 at most. Leading zeros of a component, which the standard forbids and devices write, pass.
   * @throws DicomRefusal DICOM_BAD_VALUE
   */
  uid(tag: number): string | null {
    return this.uids(tag)[0] ?? null;
  }

  uids(tag: number): string[] {
    const uids = this.#split(tag, 'latin1').filter((uid) => uid !== '');
    // Attack: a UID that is a path.
    if (uids.some((uid) => uid.length > 64 || !/^\d+(\.\d+)*$/.test(uid))) throw badValue(tag);
    return uids;
  }

  /**
   * The numbers of an element, binary or written out (IS, DS).
   * @throws DicomRefusal DICOM_BAD_VALUE
   */
  numbers(tag: number): number[] {
    const element = this.#value(tag);
    if (element === undefined || element.bytes.length === 0) return [];
    if (element.vr === 'IS' || element.vr === 'DS') {
      const texts = this.#split(tag, 'latin1').map((text) => text.trim());
      return texts.every((text) => text === '')
        ? []
        : texts.map((text) => writtenNumber(tag, element.vr, text));
    }
    return binaryNumbers(element, this.isLittleEndian);
  }

  /** The first number of an element; null where it is absent or empty. */
  number(tag: number): number | null {
    return this.numbers(tag)[0] ?? null;
  }

  /** The items of a sequence; none where it is absent. */
  items(tag: number): Attributes[] {
    const element = this.#byTag.get(tag);
    if (element === undefined || !isSequence(element)) return [];
    return element.items.map((item) => new Attributes(item, this.isLittleEndian, this.#characterSet));
  }

  #value(tag: number): ValueElement | undefined {
    const element = this.#byTag.get(tag);
    return element === undefined || isSequence(element) || isEncapsulated(element) ? undefined : element;
  }

  #split(tag: number, charset: 'stated' | 'latin1'): string[] {
    const element = this.#value(tag);
    if (element === undefined) return [];
    const text =
      charset === 'latin1'
        ? Buffer.from(element.bytes.buffer, element.bytes.byteOffset, element.bytes.byteLength).toString(
            'latin1',
          )
        : decodeText(element.bytes, this.#characterSet, element.vr === 'PN');
    return text.split('\\').map((value) => value.replace(/^ +|[\0 ]+$/g, ''));
  }
}

/** The attributes of a file's data set. */
export function attributesOf(file: DicomFile): Attributes {
  return new Attributes(file.dataSet, file.isLittleEndian);
}

/** A refusal that names an element of the data dictionary. */
export function badValue(tag: number): DicomRefusal {
  return new DicomRefusal('DICOM_BAD_VALUE', keywordOf(tag) ?? null);
}

function writtenNumber(tag: number, vr: string, text: string): number {
  const pattern = vr === 'IS' ? /^[+-]?\d{1,12}$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
  const number = Number(text);
  // Longer than DS may be is common and harmless; what is no number at all is not.
  if (text.length > 64 || !pattern.test(text) || !Number.isFinite(number)) throw badValue(tag);
  return number;
}

function binaryNumbers({ tag, vr, bytes }: ValueElement, isLittleEndian: boolean): number[] {
  const width = widthOf[vr];
  if (width === undefined || bytes.length % width !== 0) throw badValue(tag);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / width }, (_, index) =>
    numberAt(view, vr, index * width, isLittleEndian),
  );
}

function numberAt(view: DataView, vr: string, at: number, isLittleEndian: boolean): number {
  switch (vr) {
    case 'SS':
      return view.getInt16(at, isLittleEndian);
    case 'UL':
    case 'OL':
      return view.getUint32(at, isLittleEndian);
    case 'SL':
      return view.getInt32(at, isLittleEndian);
    case 'FL':
    case 'OF':
      return view.getFloat32(at, isLittleEndian);
    case 'FD':
    case 'OD':
      return view.getFloat64(at, isLittleEndian);
    case 'AT':
      return view.getUint16(at, isLittleEndian) * 0x10000 + view.getUint16(at + 2, isLittleEndian);
    case 'OB':
      return view.getUint8(at);
    default:
      return view.getUint16(at, isLittleEndian);
  }
}
