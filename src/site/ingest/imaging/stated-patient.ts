// Whom a DICOM file is about, as the file states it: before de-identification, for the sealed link only.
import { formatDay } from '#site/deidentify/index.ts';
import type { Attributes } from '../dicom/attributes.ts';
import { parseDicomDate, parsePersonName } from '../dicom/dicom-text.ts';
import type { ImagingSettings, StatedPatient } from './worker-message.ts';

const tags = {
  name: 0x00100010,
  id: 0x00100020,
  issuer: 0x00100021,
  birthDate: 0x00100030,
  sex: 0x00100040,
} as const;
const sexOf: Readonly<Record<string, 'male' | 'female' | 'other'>> = { M: 'male', F: 'female', O: 'other' };

/** What `decodeText` puts where bytes are no character. */
const unreadable = '\uFFFD';

/**
 * The patient, or null where the file names none, or by characters that its character set does not have: two identifiers that differ
 * there only would become one patient's.
 * @param imaging who gave the identifier where the file does not say it, and what the site calls whom it names
 */
export function statedPatient(
  attributes: Attributes,
  { patientAuthority, authorities }: ImagingSettings,
): StatedPatient | null {
  // All of it: what stands behind a backslash tells patients apart too.
  const identifier = attributes.texts(tags.id).join('\\');
  if (identifier.trim() === '' || identifier.includes('\0')) return null;
  const issuer = attributes.text(tags.issuer)?.replaceAll('\0', '').trim() ?? '';
  if (identifier.includes(unreadable) || issuer.includes(unreadable)) return null;
  const authority = issuer === '' ? patientAuthority : issuer;
  const birthDate = attributes.text(tags.birthDate);
  const day = birthDate === null ? null : parseDicomDate(birthDate);
  return {
    key: { authority: authorities.get(authority) ?? authority, identifier },
    name: statedName(attributes.text(tags.name)),
    birthDate: day === null ? null : formatDay(day),
    sex: sexOf[attributes.text(tags.sex) ?? ''] ?? null,
  };
}

function statedName(text: string | null): string | null {
  if (text === null) return null;
  const { given, middle, family } = parsePersonName(text).alphabetic;
  const name = [given, middle, family].filter((part) => part !== '').join(' ');
  return name === '' ? null : name;
}
