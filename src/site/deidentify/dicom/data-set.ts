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

/**
 * What was out of the ordinary and could be read all the same: a preamble that another format could live in, another transfer
 * syntax than the file declares, values of odd length, elements out of order, zeros after the last element.
 */
export type DicomNote =
  | 'PREAMBLE_OCCUPIED'
  | 'SYNTAX_CORRECTED'
  | 'ODD_LENGTH'
  | 'OUT_OF_ORDER'
  | 'TRAILING_ZEROS';

export interface DicomFile {
  /** Group 0002; empty where the file had none. */
  readonly meta: DataSet;
  readonly dataSet: DataSet;
  /**
   * UID of the transfer syntax that the data set was found to be written in, whatever the file declares; a deflated one is given
   * as the bytes were after inflation. Whether the VRs were explicit makes no difference to the elements.
   */
  readonly transferSyntaxUid: string;
  /** Byte order of the values in `dataSet`: false for Explicit VR Big Endian only. */
  readonly isLittleEndian: boolean;
  readonly notes: readonly DicomNote[];
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
