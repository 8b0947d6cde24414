// One DICOM file's bytes to the bytes of its de-identified object, or the reason why not.
import {
  burnedInRisk,
  DeidentifyError,
  type DicomProfile,
  dateOffsetDays,
  deidentifyDicom,
  encodeDicom,
  mayShowFace,
  type PatientKey,
  subjectIdOf,
  type UidMapper,
} from '#site/deidentify/index.ts';
import { type Attributes, attributesOf } from '../dicom/attributes.ts';
import { DicomRefusal } from '../dicom/dicom-refusal.ts';
import { parseDicom } from '../dicom/parse-dicom.ts';
import { verifyDeidentified } from '../dicom/second-reading.ts';
import { hasTextInPixels } from '../dicom/text-in-pixels.ts';
import type { HeldFile } from './deidentify-message.ts';

export interface FileOrder {
  readonly key: Uint8Array;
  readonly mapUid: UidMapper;
  readonly profile: DicomProfile;
  readonly writesSuspected: boolean;
  /** Holds the result where it is large enough: until the next file then. */
  readonly memory?: Buffer;
}

export interface DeidentifiedFile {
  readonly outcome: 'ready';
  readonly bytes: Uint8Array;
  /** Path of new UIDs: imaging study, series, instance. */
  readonly output: string;
  readonly mayShowFace: boolean;
}

const directoryStorage = '1.2.840.10008.1.3.10';
/** The authority of a patient id whose issuer no file names, as everywhere in the site. */
const unnamedIssuer = 'dicom';

/** Reads, checks and de-identifies. Values of the result may be views into `bytes` until it is written. */
export async function deidentifyFile(bytes: Buffer, order: FileOrder): Promise<DeidentifiedFile | HeldFile> {
  try {
    return await readAndDeidentify(bytes, order);
  } catch (error) {
    if (error instanceof DicomRefusal) return { outcome: 'rejected', code: error.code, field: error.field };
    if (error instanceof DeidentifyError && error.code === 'NO_INSTANCE_UID')
      return { outcome: 'rejected', code: 'NO_INSTANCE_UID', field: 'SOPInstanceUID' };
    throw error;
  }
}

async function readAndDeidentify(bytes: Buffer, order: FileOrder): Promise<DeidentifiedFile | HeldFile> {
  const file = parseDicom(bytes);
  const attributes = attributesOf(file);
  if (mediaClass(file.meta.elements) === directoryStorage || attributes.text(0x00080016) === directoryStorage)
    return { outcome: 'skipped', code: 'DICOM_DIRECTORY', field: null };
  const risk = burnedInRisk(file.dataSet);
  const isReleased = order.writesSuspected && risk?.code === 'BURNED_IN_SUSPECTED';
  if (risk !== null && !isReleased) return { outcome: 'quarantined', ...risk };
  if (!isReleased && (await hasTextInPixels(file)))
    return { outcome: 'quarantined', code: 'BURNED_IN_TEXT', field: 'PixelData' };
  const { key, mapUid, profile } = order;
  const subjectId = subjectIdOf(key, patientKey(attributes));
  const options = { subjectId, dateOffsetDays: dateOffsetDays(key, subjectId), mapUid, profile };
  const deidentified = deidentifyDicom(file, options);
  const written = encodeDicom(deidentified, order.memory);
  verifyDeidentified(written, profile);
  const found = attributesOf(deidentified);
  const path = [0x0020000d, 0x0020000e, 0x00080018].map((tag) => found.uid(tag) ?? 'none');
  return {
    outcome: 'ready',
    bytes: written,
    output: `${path.join('/')}.dcm`,
    mayShowFace: mayShowFace(file.dataSet),
  };
}

/** A patient without an id that can be read is told by the imaging study: nothing else in a file holds its objects together. */
function patientKey(attributes: Attributes): PatientKey {
  const identifier = clean(attributes.texts(0x00100020).join('\\'));
  const authority = clean(attributes.text(0x00100021));
  // Two ids that differ only where they cannot be read must not become one pseudonym.
  const isReadable = !`${authority}${identifier}`.includes('\uFFFD');
  if (identifier !== '' && isReadable)
    return { authority: authority === '' ? unnamedIssuer : authority, identifier };
  const uid = attributes.uid(0x0020000d) ?? attributes.uid(0x00080018) ?? 'none';
  return { authority: 'urn:dicom:uid', identifier: uid };
}

function clean(text: string | null): string {
  return (text ?? '').replaceAll('\0', '').trim();
}

function mediaClass(meta: readonly { readonly tag: number }[]): string {
  const element = meta.find(({ tag }) => tag === 0x00020002);
  return element !== undefined && 'bytes' in element && element.bytes instanceof Uint8Array
    ? Buffer.from(element.bytes).toString('latin1').replace(/\0+$/, '')
    : '';
}
