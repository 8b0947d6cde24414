// The header of a C-CDA document: whom it is about (recordTarget), whether they died, and which document it is.
import type { DeathStatement, PatientKey, PatientRecord } from '#site/deidentify/index.ts';
import { RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { childrenOf, descend, isNull, readInterval, sdtcNamespace } from './ccda-element.ts';
import { readText, type StatedTime } from './field-value.ts';
import { uriOfRoot } from './hl7-code-system.ts';
import { readHl7BirthDate } from './hl7-time.ts';
import type { XmlElement } from './xml-document.ts';

/** Social security and other national numbers are no medical record numbers: taken only where a document has no other. */
const nationalRoots = new Set(['2.16.840.1.113883.4.1', '2.16.840.1.113883.4.6', '2.16.840.1.113883.4.572']);

const genders = new Map<string, PatientRecord['sex']>([
  ['F', 'female'],
  ['M', 'male'],
  ['UN', 'other'],
]);

const idField = 'recordTarget.patientRole.id';

function identifiersOf(document: XmlElement): XmlElement[] {
  return childrenOf(descend(document, 'recordTarget', 'patientRole'), 'id').filter(
    (id) => !isNull(id) && (id.attributes.get('root') ?? '') !== '',
  );
}

function isWhole({ attributes }: XmlElement): boolean {
  return (attributes.get('extension') ?? '').trim() !== '';
}

function keyOf({ attributes }: XmlElement): PatientKey {
  const root = readText(attributes.get('root') ?? '', idField);
  const identifier = readText(attributes.get('extension') ?? '', idField);
  return { authority: uriOfRoot(root) ?? `urn:consilium:ccda:root:${root}`, identifier };
}

/** How the document names its patient. @throws RowRefusal MISSING_FIELD, IDENTITY_CONFLICT, BAD_CHARACTER. */
export function readDocumentPatientKey(document: XmlElement): PatientKey {
  const targets = childrenOf(document, 'recordTarget');
  // Two patients in one document: nothing says which statement is about whom.
  if (targets.length > 1) throw new RowRefusal('IDENTITY_CONFLICT', 'recordTarget');
  const ids = identifiersOf(document);
  const whole = ids.filter(isWhole);
  const chosen = whole.find(({ attributes }) => !nationalRoots.has(attributes.get('root') ?? '')) ?? whole[0];
  if (chosen !== undefined) return keyOf(chosen);
  // A root alone is a whole identifier where it is globally unique by its form.
  const unique = ids.map(({ attributes }) => uriOfRoot(attributes.get('root') ?? '')).find(Boolean);
  if (unique === undefined) throw new RowRefusal('MISSING_FIELD', idField);
  return { authority: 'urn:ietf:rfc:3986', identifier: unique };
}

/** @throws RowRefusal as `readDocumentPatientKey`, and BAD_DATE, BAD_VALUE. */
export function readDocumentPatient(document: XmlElement): PatientRecord {
  const key = readDocumentPatientKey(document);
  const patient = descend(document, 'recordTarget', 'patientRole', 'patient');
  const birthTime = descend(patient, 'birthTime');
  const born = isNull(birthTime) ? undefined : birthTime?.attributes.get('value');
  return {
    key,
    aliases: [],
    // On an opt-out list any of them may stand.
    otherIdentifiers: identifiersOf(document)
      .filter(isWhole)
      .map(keyOf)
      .filter(({ authority, identifier }) => authority !== key.authority || identifier !== key.identifier),
    name: readName(patient),
    birthDate: born === undefined || born === '' ? null : readHl7BirthDate(born, 'birthTime'),
    sex: readSex(descend(patient, 'administrativeGenderCode')),
  };
}

interface StatedLife {
  /** Undefined: the document leaves it as it is. */
  readonly says: Exclude<DeathStatement['says'], 'not-stated'> | undefined;
  /** Of the death. */
  readonly time: StatedTime | undefined;
}

/** By `sdtc:deceasedInd` or the time in `sdtc:deceasedTime`. @throws RowRefusal BAD_DATE, BAD_VALUE. */
export function readDocumentLife(document: XmlElement, zone: TimeZone): StatedLife {
  const patient = descend(document, 'recordTarget', 'patientRole', 'patient');
  const extension = (wanted: string): XmlElement | undefined =>
    patient?.children.find(({ name, namespace }) => name === wanted && namespace === sdtcNamespace);
  const time = readInterval(extension('deceasedTime'), zone);
  const indicator = extension('deceasedInd');
  const said = isNull(indicator) ? undefined : indicator?.attributes.get('value');
  if (said !== undefined && said !== 'true' && said !== 'false')
    throw new RowRefusal('BAD_VALUE', 'deceasedInd');
  const isDeceased = time !== undefined || said === 'true';
  return { says: isDeceased ? 'deceased' : said === 'false' ? 'alive' : undefined, time };
}

function readSex(element: XmlElement | undefined): PatientRecord['sex'] {
  const code = element?.attributes.get('code');
  if (element === undefined || isNull(element) || code === undefined) return null;
  const sex = genders.get(code);
  if (sex === undefined) throw new RowRefusal('BAD_VALUE', 'administrativeGenderCode');
  return sex;
}

function readName(patient: XmlElement | undefined): string | null {
  const names = childrenOf(patient, 'name').filter((name) => !isNull(name));
  const usual = names.find(({ attributes }) => attributes.get('use')?.split(' ').includes('L')) ?? names[0];
  if (usual === undefined) return null;
  const parts = [...childrenOf(usual, 'given'), ...childrenOf(usual, 'family')].filter(
    (part) => !isNull(part),
  );
  const written = (parts.length > 0 ? parts.map(({ text }) => text) : [usual.text]).join(' ');
  const spaced = written.replaceAll(/\s+/g, ' ').trim();
  return spaced === '' ? null : readText(spaced, 'name');
}

/** Root and extension of the document's id, which every document has. */
export function documentIdOf(document: XmlElement): readonly [string, string] {
  const attributes = descend(document, 'id')?.attributes;
  return [attributes?.get('root') ?? '', attributes?.get('extension') ?? ''];
}
