// The patient of an HL7 v2 message (PID), whether they died, and the identity that a merge retires (MRG).
import type { DeathStatement, PatientKey, PatientRecord } from '#site/deidentify/index.ts';
import { RowRefusal } from '../clinical-record.ts';
import { readText } from './field-value.ts';
import { uriOfRoot } from './hl7-code-system.ts';
import { readHl7BirthDate } from './hl7-time.ts';
import type { MessageHeader } from './hl7v2-header.ts';
import type { FieldReader, Segment } from './hl7v2-message.ts';

/** Identifiers that many hospitals share (table 0203) are no medical record numbers. */
const otherIdentifierTypes = new Set([
  'SS',
  'SSN',
  'DL',
  'PPN',
  'SB',
  'TAX',
  'NI',
  'NPI',
  'AN',
  'VN',
  'MC',
  'MA',
  'HC',
  'BC',
]);

const genders = new Map<string, PatientRecord['sex']>([
  ['F', 'female'],
  ['M', 'male'],
  ['O', 'other'],
  ['A', 'other'],
  ['N', 'other'],
  ['U', 'unknown'],
]);

/** How PID-3 (before v2.3: PID-2) names the patient. @throws RowRefusal MISSING_FIELD, BAD_CHARACTER, BAD_VALUE. */
export function readPatientKey(segment: Segment, fields: FieldReader, header: MessageHeader): PatientKey {
  const listed = fields.repetitions(segment, 3);
  const [numbers, field] = listed.length > 0 ? [listed, 'PID-3'] : [fields.repetitions(segment, 2), 'PID-2'];
  return readLastingKey(numbers, fields, { header, field: numbers.length === 0 ? 'PID-3' : field });
}

/** The identity that is retired. @throws RowRefusal as `readPatientKey`. */
export function readRetiredKey(segment: Segment, fields: FieldReader, header: MessageHeader): PatientKey {
  const listed = fields.repetitions(segment, 1);
  return readLastingKey(listed.length > 0 ? listed : fields.repetitions(segment, 4), fields, {
    header,
    field: 'MRG-1',
  });
}

function readLastingKey(
  numbers: readonly string[],
  fields: FieldReader,
  { header, field }: { readonly header: MessageHeader; readonly field: string },
): PatientKey {
  const named = numbers.filter((number) => fields.component(number, 1) !== '');
  const typeOf = (number: string): string => fields.component(number, 5).toUpperCase();
  const chosen =
    named.find((number) => typeOf(number) === 'MR') ??
    named.find((number) => !otherIdentifierTypes.has(typeOf(number))) ??
    named[0];
  if (chosen === undefined) throw new RowRefusal('MISSING_FIELD', field);
  return {
    authority: authorityOf(chosen, fields, header),
    identifier: readText(fields.component(chosen, 1), field),
  };
}

/** Assigning authority (CX.4), else assigning facility (CX.6), else the facility that sends. */
function authorityOf(number: string, fields: FieldReader, header: MessageHeader): string {
  for (const part of [4, 6]) {
    const [namespace = '', universal = '', type = ''] = fields.subcomponents(number, part);
    if (universal !== '') {
      const uri = uriOfRoot(universal) ?? (type === 'URI' ? readText(universal, 'PID-3.4') : undefined);
      if (uri !== undefined) return uri;
    }
    const name = namespace === '' ? universal : namespace;
    if (name !== '') return uriOfRoot(name) ?? `urn:consilium:hl7v2:authority:${readText(name, 'PID-3.4')}`;
  }
  const facility = header.facility === '' ? 'unnamed' : readText(header.facility, 'MSH-4');
  return `urn:consilium:hl7v2:facility:${facility}`;
}

/** Every other number of PID-3: on an opt-out list any of them may stand. */
function readOtherIdentifiers(
  segment: Segment,
  fields: FieldReader,
  { header, key }: { readonly header: MessageHeader; readonly key: PatientKey },
): PatientKey[] {
  const numbers = fields
    .repetitions(segment, 3)
    .filter((number) => fields.component(number, 1).trim() !== '');
  const named = numbers.map((number) => ({
    authority: authorityOf(number, fields, header),
    identifier: readText(fields.component(number, 1), 'PID-3'),
  }));
  return named.filter(
    ({ authority, identifier }) => authority !== key.authority || identifier !== key.identifier,
  );
}

/** @throws RowRefusal as `readPatientKey`, and BAD_DATE, BAD_VALUE. */
export function readPatientSegment(
  segment: Segment,
  fields: FieldReader,
  header: MessageHeader,
): PatientRecord {
  const birth = fields.text(segment, 7);
  const key = readPatientKey(segment, fields, header);
  return {
    key,
    aliases: [],
    otherIdentifiers: readOtherIdentifiers(segment, fields, { header, key }),
    name: readName(segment, fields),
    birthDate: birth === '' ? null : readHl7BirthDate(birth, 'PID-7'),
    sex: readSex(fields.text(segment, 8)),
  };
}

/**
 * By PID-30 or the time in PID-29; a field that is emptied (`""`) takes a death back. Undefined: left as it is.
 * @throws RowRefusal BAD_VALUE.
 */
export function readLife(segment: Segment, fields: FieldReader): DeathStatement['says'] | undefined {
  const indicator = fields.text(segment, 30).toUpperCase();
  if (!['Y', 'N', 'U', ''].includes(indicator)) throw new RowRefusal('BAD_VALUE', 'PID-30');
  if (indicator === 'Y' || fields.text(segment, 29) !== '') return 'deceased';
  const isEmptied = [29, 30].some((at) => segment.fields[at] === '""');
  return indicator === 'N' || isEmptied ? 'alive' : undefined;
}

function readSex(code: string): PatientRecord['sex'] {
  if (code === '') return null;
  const sex = genders.get(code.toUpperCase());
  if (sex === undefined) throw new RowRefusal('BAD_VALUE', 'PID-8');
  return sex;
}

function readName(segment: Segment, fields: FieldReader): string | null {
  const names = fields.repetitions(segment, 5);
  const usual = names.find((name) => fields.component(name, 7) === 'L') ?? names[0];
  const written = `${fields.component(usual, 2)} ${fields.component(usual, 1)}`
    .replaceAll(/\s+/g, ' ')
    .trim();
  return written === '' ? null : readText(written, 'PID-5');
}
