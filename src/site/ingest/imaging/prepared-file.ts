// What a worker does with one file's bytes: digests and parses them, tells whom they are about, and, once that is decided, makes them
// pseudonymous and seals them. Whole or not at all: whatever throws on the way refuses the file by name.
import { ObjectStoreError, type SegmentWriter } from '#base/segment-writer.ts';
import { hmacSha256 } from '#federation/crypto/digest.ts';
import { sealPieces } from '#federation/crypto/piece-seal.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import {
  burnedInRisk,
  type DicomFile,
  dateOffsetDays,
  deidentifyDicom,
  encodeDicom,
  type UidMapper,
} from '#site/deidentify/index.ts';
import type { ObjectPlace } from '#site/store/index.ts';
import { type Attributes, attributesOf, badValue } from '../dicom/attributes.ts';
import { DicomRefusal } from '../dicom/dicom-refusal.ts';
import { parseDicom } from '../dicom/parse-dicom.ts';
import { verifyDeidentified } from '../dicom/second-reading.ts';
import { hasTextInPixels } from '../dicom/text-in-pixels.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import { readDirectory } from './dicom-directory.ts';
import { ownSeriesOf, ownStudyOf, readImageAttributes } from './image-attributes.ts';
import { knownModality } from './index-terms.ts';
import { checkPixels } from './pixel-check.ts';
import { statedPatient } from './stated-patient.ts';
import type {
  FileDecision,
  FinishedFile,
  ImagingSettings,
  PreparedFile,
  WaivedCheck,
  WorkerSettings,
} from './worker-message.ts';

export interface ReadFile {
  readonly bytes: Buffer;
  readonly dicom: DicomFile;
  readonly waived: readonly WaivedCheck[];
}

export interface FileWork {
  readonly settings: WorkerSettings;
  readonly imaging: ImagingSettings;
  readonly mapUid: UidMapper;
  readonly writer: SegmentWriter;
  /** Room to write a file in before it is sealed. */
  readonly memory: Buffer;
}

const directoryStorage = '1.2.840.10008.1.3.10';
const [sopClassUid, sopInstanceUid, studyInstanceUid, seriesInstanceUid] = [
  0x00080016, 0x00080018, 0x0020000d, 0x0020000e,
] as const;
const modalityTag = 0x00080060;

/** Why a file waits for a person and is not refused: the person may know better, or a later release can do more. */
const quarantinedCodes: ReadonlySet<FileRefusalCode> = new Set<FileRefusalCode>([
  'TRANSFER_SYNTAX_NOT_DECODED',
  'DICOM_UNSUPPORTED_IMAGE',
]);

/** Reads a file. @throws DicomRefusal. */
export function prepareFile(
  bytes: Buffer,
  waived: readonly WaivedCheck[],
  { settings, imaging, mapUid }: FileWork,
): { readonly read: ReadFile; readonly prepared: PreparedFile } {
  const dicom = parseDicom(bytes);
  const read = { bytes, dicom, waived };
  const attributes = attributesOf(dicom);
  const sourceDigest = hmacSha256(settings.linkageKey, bytes);
  if (mediaSopClass(dicom) === directoryStorage)
    return { read, prepared: { kind: 'directory', sourceDigest, references: readDirectory(attributes) } };
  const instanceUid = oneUid(attributes, sopInstanceUid);
  if (instanceUid === null) throw new DicomRefusal('DICOM_MISSING_UID', 'SOPInstanceUID');
  if (oneUid(attributes, sopClassUid) === null) throw new DicomRefusal('DICOM_MISSING_UID', 'SOPClassUID');
  if (!hasPixels(attributes)) throw new DicomRefusal('DICOM_NO_IMAGE');
  return {
    read,
    prepared: {
      kind: 'image',
      sourceDigest,
      sopInstanceUid: mapUid(instanceUid),
      imagingStudyUid: mapUid(oneUid(attributes, studyInstanceUid) ?? ownStudyOf(instanceUid)),
      imagingSeriesUid: mapUid(oneUid(attributes, seriesInstanceUid) ?? ownSeriesOf(instanceUid)),
      patient: statedPatient(attributes, imaging),
    },
  };
}

/** Carries a decision out. @throws DicomRefusal; ObjectStoreError. */
export async function finishFile(
  read: ReadFile,
  decision: FileDecision,
  work: FileWork,
): Promise<FinishedFile> {
  if (decision.kind === 'skip') return { kind: 'skipped' };
  if (decision.kind === 'refuse') return { ...decision, kind: 'refused' };
  if (decision.kind === 'quarantine') return quarantine(read, decision, work);
  try {
    if (!read.waived.includes('decode')) await checkPixels(read.dicom);
  } catch (error) {
    if (!isForPerson(error)) throw error;
    return quarantine(read, error, work);
  }
  const risk = read.waived.includes('burned-in') ? null : await textRisk(read.dicom, work.imaging);
  if (risk !== null) return quarantine(read, risk, work);
  return {
    kind: 'image',
    subjectId: decision.subjectId,
    ...deidentify(read.dicom, decision.subjectId, work),
  };
}

/** By the header, else by the pixels (security.md D5), where they are kept. */
async function textRisk(dicom: DicomFile, { keepsPixels }: ImagingSettings) {
  const risk = burnedInRisk(dicom.dataSet);
  if (risk !== null || !keepsPixels) return risk;
  try {
    return (await hasTextInPixels(dicom)) ? ({ code: 'BURNED_IN_TEXT', field: 'PixelData' } as const) : null;
  } catch (error) {
    if (!isForPerson(error)) throw error;
    // That nothing can decode them was waived; what they show was not.
    return { code: 'BURNED_IN_SUSPECTED', field: 'PixelData' } as const;
  }
}

function isForPerson(error: unknown): error is DicomRefusal {
  return error instanceof DicomRefusal && quarantinedCodes.has(error.code);
}

function deidentify(
  dicom: DicomFile,
  subjectId: string,
  { settings, imaging, mapUid, writer, memory }: FileWork,
) {
  const offset = dateOffsetDays(settings.subjectKey, subjectId);
  const attributes = readImageAttributes(dicom, { uid: mapUid, day: (day) => day + offset });
  if (!imaging.keepsPixels) return { attributes, place: null };
  const options = { subjectId, dateOffsetDays: offset, mapUid };
  const bytes = encodeDicom(deidentifyDicom(dicom, options), memory);
  verifyDeidentified(bytes);
  return { attributes, place: seal(writer, bytes) };
}

function quarantine(
  { bytes, dicom }: ReadFile,
  { code, field }: { readonly code: FileRefusalCode; readonly field: string | null },
  { writer }: FileWork,
): FinishedFile {
  const place: ObjectPlace = seal(writer, bytes);
  return {
    kind: 'quarantined',
    code,
    field,
    modality: knownModality(attributesOf(dicom).text(modalityTag)),
    place,
  };
}

function seal(writer: SegmentWriter, bytes: Uint8Array): ObjectPlace {
  const objectKey = systemRandom(32);
  return { ...writer.append(sealPieces(objectKey, bytes)), byteCount: bytes.length, objectKey };
}

/** A refusal of any part of the way as the codes of a file; undefined for what no file is to blame for. */
export function fileRefusal(error: unknown): { code: FileRefusalCode; field: string | null } | undefined {
  if (error instanceof ObjectStoreError) return undefined;
  if (error instanceof DicomRefusal) return { code: error.code, field: error.field };
  // Whatever else a file makes throw: a defect of ours, and the file is not in.
  return { code: 'DICOM_PROCESSING_FAILED', field: null };
}

/** Attack: of two UIDs in one place the one is checked and the other stored. @throws DicomRefusal DICOM_BAD_VALUE. */
function oneUid(attributes: Attributes, tag: number): string | null {
  const uids = attributes.uids(tag);
  if (uids.length > 1) throw badValue(tag);
  return uids[0] ?? null;
}

function hasPixels(attributes: Attributes): boolean {
  return attributes.has(0x7fe00010) || attributes.has(0x7fe00008) || attributes.has(0x7fe00009);
}

function mediaSopClass({ meta }: DicomFile): string | null {
  const element = meta.elements.find(({ tag }) => tag === 0x00020002);
  if (element === undefined || !('bytes' in element)) return null;
  return Buffer.from(element.bytes).toString('latin1').replace(/\0+$/, '');
}
