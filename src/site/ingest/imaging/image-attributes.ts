// What the store may know of an image without opening it: an allow-list of attributes (security.md section 4), with new UIDs and moved
// days. Whatever is not named here is not read.
import {
  type DataSet,
  type DicomElement,
  type DicomFile,
  isEncapsulated,
  isSequence,
} from '#site/deidentify/index.ts';
import { knownBodyPart, knownModality } from './index-terms.ts';

export interface ImageAttributes {
  readonly imagingStudyUid: string;
  readonly imagingStudyDay: number | null;
  readonly imagingStudySecond: number | null;
  /** From 0 to 90. */
  readonly ageYears: number | null;
  readonly imagingSeriesUid: string;
  readonly modality: string;
  readonly bodyPart: string | null;
  readonly seriesNumber: number | null;
  readonly frameOfReferenceUid: string | null;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly instanceNumber: number | null;
  readonly rows: number | null;
  readonly columns: number | null;
  readonly frameCount: number;
  readonly samplesPerPixel: number | null;
  readonly photometric: string | null;
  readonly bitsAllocated: number | null;
  readonly bitsStored: number | null;
  readonly isSigned: number | null;
  readonly rowSpacing: number | null;
  readonly columnSpacing: number | null;
  readonly sliceThickness: number | null;
  /** Six direction cosines. */
  readonly orientation: readonly number[] | null;
  /** Three millimetres. */
  readonly position: readonly number[] | null;
  readonly rescaleSlope: number | null;
  readonly rescaleIntercept: number | null;
  readonly day: number | null;
  readonly second: number | null;
  /** Images that a segmentation was drawn on. */
  readonly sources: readonly SegmentationSource[];
}

export interface SegmentationSource {
  /** Of the segmentation, from 1; 0: all of it. */
  readonly frame: number;
  readonly sourceUid: string;
  /** Of that image, from 1; 0: all of it. */
  readonly sourceFrame: number;
}

export interface Renaming {
  /** New UID of an original one. */
  readonly uid: (uid: string) => string;
  /** Moved day of a real one. */
  readonly day: (day: number) => number;
}

const segmentationStorage = '1.2.840.10008.5.1.4.1.1.66.4';
const mostSources = 100_000;

/** Elements of one data set by tag, its own values only. */
class Values {
  readonly #elements = new Map<number, DicomElement>();
  readonly #isLittleEndian: boolean;

  constructor(dataSet: DataSet, isLittleEndian: boolean) {
    for (const element of dataSet.elements) this.#elements.set(element.tag, element);
    this.#isLittleEndian = isLittleEndian;
  }

  has(tag: number): boolean {
    return this.#elements.has(tag);
  }

  items(tag: number): readonly Values[] {
    const element = this.#elements.get(tag);
    return element !== undefined && isSequence(element)
      ? element.items.map((item) => new Values(item, this.#isLittleEndian))
      : [];
  }

  /** Characters of the default repertoire; null where the element is absent or empty. */
  text(tag: number): string | null {
    const element = this.#elements.get(tag);
    if (element === undefined || isSequence(element) || isEncapsulated(element)) return null;
    const { buffer, byteOffset, byteLength } = element.bytes;
    const text = Buffer.from(buffer, byteOffset, byteLength).toString('latin1').replaceAll('\0', '').trim();
    return text === '' ? null : text;
  }

  /** A UID; null where what stands there is none. */
  uid(tag: number): string | null {
    const text = this.text(tag);
    return text !== null && /^[0-9.]{1,64}$/.test(text) ? text : null;
  }

  /** A defined term of the standard: letters, digits, blanks and underscores. Anything else could be a name. */
  term(tag: number): string | null {
    const text = this.text(tag)?.split('\\')[0]?.trim();
    return text !== undefined && /^[A-Z0-9_ ]{1,16}$/.test(text) ? text : null;
  }

  decimals(tag: number, count: number): readonly number[] | null {
    const numbers =
      this.text(tag)
        ?.split('\\')
        .map((part) => (part.trim() === '' ? Number.NaN : Number(part))) ?? [];
    return numbers.length === count && numbers.every(Number.isFinite) ? numbers : null;
  }

  decimal(tag: number): number | null {
    return this.decimals(tag, 1)?.[0] ?? null;
  }

  whole(tag: number): number | null {
    const number = this.decimal(tag);
    return number !== null && Number.isSafeInteger(number) ? number : null;
  }

  short(tag: number): number | null {
    const element = this.#elements.get(tag);
    if (element === undefined || isSequence(element) || isEncapsulated(element) || element.bytes.length < 2)
      return null;
    const [first = 0, second = 0] = element.bytes;
    return this.#isLittleEndian ? first | (second << 8) : (first << 8) | second;
  }
}

/** What stands in place of a UID that the file lacks: an image that names no imaging study or series is one of its own. */
export const ownStudyOf = (sopInstanceUid: string): string => `study of ${sopInstanceUid}`;
export const ownSeriesOf = (sopInstanceUid: string): string => `series of ${sopInstanceUid}`;

/**
 * Reads the allow-listed attributes. The SOP instance and class UIDs must have been checked to be there.
 * @param renaming of this patient
 */
export function readImageAttributes(file: DicomFile, renaming: Renaming): ImageAttributes {
  const values = new Values(file.dataSet, file.isLittleEndian);
  const renamed = (tag: number): string | null => {
    const uid = values.uid(tag);
    return uid === null ? null : renaming.uid(uid);
  };
  const moved = (dateTag: number): number | null => {
    const day = parseDate(values.text(dateTag));
    return day === null ? null : renaming.day(day);
  };
  const sopClassUid = values.uid(0x00080016) ?? '';
  const instanceUid = values.uid(0x00080018) ?? '';
  const hasPixels = values.has(0x7fe00010) || values.has(0x7fe00008) || values.has(0x7fe00009);
  const timed = [
    [0x00080022, 0x00080032],
    [0x00080023, 0x00080033],
    [0x00080021, 0x00080031],
    [0x00080020, 0x00080030],
  ].find(([date]) => date !== undefined && parseDate(values.text(date)) !== null);
  return {
    imagingStudyUid: renamed(0x0020000d) ?? renaming.uid(ownStudyOf(instanceUid)),
    imagingStudyDay: moved(0x00080020),
    imagingStudySecond: parseTime(values.text(0x00080030)),
    ageYears: parseAge(values.text(0x00101010)),
    imagingSeriesUid: renamed(0x0020000e) ?? renaming.uid(ownSeriesOf(instanceUid)),
    modality: knownModality(values.text(0x00080060)) ?? 'OT',
    bodyPart: knownBodyPart(values.text(0x00180015)),
    seriesNumber: values.whole(0x00200011),
    frameOfReferenceUid: renamed(0x00200052),
    sopInstanceUid: renaming.uid(instanceUid),
    sopClassUid,
    transferSyntaxUid: file.transferSyntaxUid,
    instanceNumber: values.whole(0x00200013),
    rows: values.short(0x00280010),
    columns: values.short(0x00280011),
    frameCount: hasPixels ? Math.max(1, values.whole(0x00280008) ?? 1) : 0,
    samplesPerPixel: values.short(0x00280002),
    photometric: values.term(0x00280004),
    bitsAllocated: values.short(0x00280100),
    bitsStored: values.short(0x00280101),
    isSigned: values.short(0x00280103),
    ...geometryOf(values),
    rescaleSlope: values.decimal(0x00281053),
    rescaleIntercept: values.decimal(0x00281052),
    day: timed === undefined ? null : moved(timed[0] ?? 0),
    second: timed === undefined ? null : parseTime(values.text(timed[1] ?? 0)),
    sources: sopClassUid === segmentationStorage ? readSources(values, renaming) : [],
  };
}

/** From the image itself or, in enhanced objects, from what all its frames share. */
function geometryOf(values: Values) {
  const [shared] = values.items(0x52009229);
  const [measures = values] = shared?.items(0x00289110) ?? [];
  const [plane = values] = shared?.items(0x00209116) ?? [];
  const spacing = measures.decimals(0x00280030, 2) ?? values.decimals(0x00181164, 2);
  return {
    rowSpacing: spacing?.[0] ?? null,
    columnSpacing: spacing?.[1] ?? null,
    sliceThickness: measures.decimal(0x00180050),
    orientation: plane.decimals(0x00200037, 6),
    position: values.decimals(0x00200032, 3),
  };
}

/** Frame by frame (DerivationImageSequence of each frame, PS3.3 C.7.6.16.2.6), else for the whole (ReferencedSeriesSequence). */
function readSources(values: Values, renaming: Renaming): SegmentationSource[] {
  const found: SegmentationSource[] = [];
  const take = (frame: number, item: Values): void => {
    const uid = item.uid(0x00081155);
    if (uid === null || found.length >= mostSources) return;
    found.push({ frame, sourceUid: renaming.uid(uid), sourceFrame: item.whole(0x00081160) ?? 0 });
  };
  for (const [index, frame] of values.items(0x52009230).entries()) {
    for (const derivation of frame.items(0x00089124))
      for (const source of derivation.items(0x00082112)) take(index + 1, source);
  }
  for (const source of values.items(0x00082112)) take(0, source);
  if (found.length > 0) return found;
  for (const series of values.items(0x00081115))
    for (const source of [...series.items(0x0008114a), ...series.items(0x00081140)]) take(0, source);
  return found;
}

/** Days since 1970-01-01 of `YYYYMMDD` (or `YYYY.MM.DD` of ACR-NEMA); null for anything else. */
export function parseDate(text: string | null): number | null {
  const [, year, month, day] = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(text ?? '') ?? [];
  if (year === undefined) return null;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(ms);
  const isReal = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return isReal && Number(year) >= 1800 ? ms / 86_400_000 : null;
}

/** Second of the day of `HHMMSS.FFFFFF`, or of a part of it. */
function parseTime(text: string | null): number | null {
  const [, hour, minute, second] = /^(\d{2}):?(\d{2})?:?(\d{2})?(?:\.\d{1,6})?$/.exec(text ?? '') ?? [];
  if (hour === undefined || Number(hour) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 60)
    return null;
  return Math.min(86_399, Number(hour) * 3600 + Number(minute ?? 0) * 60 + Number(second ?? 0));
}

/** Whole years of `045Y`; months, weeks and days make 0 or more; above 89 is 90 (security.md D2). */
function parseAge(text: string | null): number | null {
  const [, count, unit] = /^(\d{3})([DWMY])$/.exec(text ?? '') ?? [];
  if (count === undefined) return null;
  const perYear = { D: 365.25, W: 52.18, M: 12, Y: 1 }[unit ?? 'Y'] ?? 1;
  return Math.min(90, Math.floor(Number(count) / perYear));
}
