// A DICOM data set as a tree of elements whose values are views into the file's bytes: nothing is copied until something changes.

/** An element of any value representation but SQ. `bytes` is the value field, padding included, in the data set's byte order. */
export interface ValueElement {
  /** Group and element as one number, e.g. 0x00100020. */
  readonly tag: number;
  /** Two letters, as the file states it or, in implicit syntaxes, as the data dictionary does; UN where neither knows. */
  readonly vr: string;
  readonly bytes: Uint8Array;
}

export interface SequenceElement {
  readonly tag: number;
  readonly vr: 'SQ';
  readonly items: readonly DataSet[];
}

/** Encapsulated pixel data (PS3.5 A.4): fragments in order, without the basic offset table. */
export interface EncapsulatedElement {
  readonly tag: number;
  readonly vr: 'OB' | 'OW';
  /** Offsets of frames into the fragments, as the file's basic offset table has them; empty where it has none. */
  readonly offsets: readonly number[];
  readonly fragments: readonly Uint8Array[];
}

export type DicomElement = ValueElement | SequenceElement | EncapsulatedElement;

export interface DataSet {
  /** In rising order of tags; no tag twice. */
  readonly elements: readonly DicomElement[];
}

export interface DicomFile {
  /** Group 0002; empty where the file had none. */
  readonly meta: DataSet;
  readonly dataSet: DataSet;
  /** UID of the transfer syntax that the data set was written in; a deflated one is given as the bytes were after inflation. */
  readonly transferSyntaxUid: string;
  /** Byte order of the values in `dataSet`: false for Explicit VR Big Endian only. */
  readonly isLittleEndian: boolean;
}

/** The element of a tag at the top of a data set. */
export function findElement(dataSet: DataSet, tag: number): DicomElement | undefined {
  return dataSet.elements.find((element) => element.tag === tag);
}

export function isSequence(element: DicomElement): element is SequenceElement {
  return 'items' in element;
}

export function isEncapsulated(element: DicomElement): element is EncapsulatedElement {
  return 'fragments' in element;
}
