// What the segments of one HL7 v2 message share: patient, visit and order that they stand under, and how their records are named.
import type { PatientKey } from '#site/deidentify/index.ts';
import { type CodedValue, type FactKind, RowRefusal, type SourceFact } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { preferCoding } from './code-system.ts';
import { readCode, type StatedTime } from './field-value.ts';
import { systemOfV2Name } from './hl7-code-system.ts';
import { readHl7Time } from './hl7-time.ts';
import type { MessageHeader } from './hl7v2-header.ts';
import type { FieldReader, Segment } from './hl7v2-message.ts';

export interface MessageContext {
  readonly fields: FieldReader;
  readonly header: MessageHeader;
  readonly zone: TimeZone;
  readonly patient: PatientKey;
  /** Segments that the one that is read stands under: EVN, PV1, ORC, OBR, TQ1. */
  readonly above: ReadonlyMap<string, Segment>;
}

/** What a segment says: a record, one that is gone, or nothing that is needed. */
export type SegmentReading =
  | { readonly sourceId: readonly string[]; readonly facts: readonly SourceFact[] }
  | { readonly sourceId: readonly string[]; readonly facts: null }
  | null;

/** A field that must be there. @throws RowRefusal MISSING_FIELD. */
export function required(text: string, field: string): string {
  if (text === '') throw new RowRefusal('MISSING_FIELD', field);
  return text;
}

/** The first of several fields that states a time. @throws RowRefusal MISSING_FIELD for the first, BAD_DATE. */
export function readFirstTime(
  { fields, above, zone }: MessageContext,
  places: readonly (readonly [segment: Segment | string, at: number])[],
): StatedTime {
  let first: string | undefined;
  for (const [place, at] of places) {
    const segment = typeof place === 'string' ? above.get(place) : place;
    const field = `${typeof place === 'string' ? place : place.name}-${at}`;
    first ??= field;
    const text = fields.text(segment, at);
    if (text !== '') return readHl7Time(text, field, zone);
  }
  throw new RowRefusal('MISSING_FIELD', first ?? null);
}

/**
 * A coded element (CE, CWE, CNE): of its up to three codings the preferred one, else the first that names its system.
 * @throws RowRefusal MISSING_FIELD, BAD_CODE.
 */
export function readCodedElement(
  fields: FieldReader,
  repetition: string | undefined,
  { field, kind = 'measurement' }: { readonly field: string; readonly kind?: FactKind },
): CodedValue {
  const codings = ([1, 4, 10] as const).flatMap((at) => {
    const [code, name] = [
      fields.component(repetition, at),
      fields.component(repetition, at === 10 ? 12 : at + 2),
    ];
    return code === '' || name === '' ? [] : [{ code, name }];
  });
  const written = codings.map(({ code, name }) => ({ system: systemOfV2Name(name, field), code }));
  const chosen = preferCoding(written, kind);
  if (chosen === undefined) throw new RowRefusal('MISSING_FIELD', field);
  return { system: chosen.system, code: readCode(chosen.code, field) };
}

/** Names of the patient in identities: another patient's order of the same number is another order. */
export function patientParts({ patient }: MessageContext): readonly string[] {
  return [patient.authority, patient.identifier];
}

/** The order that a result belongs to: filler's number, else placer's, else the message. */
export function orderParts({ fields, header, above }: MessageContext): readonly string[] {
  for (const [name, at] of [
    ['OBR', 3],
    ['ORC', 3],
    ['OBR', 2],
    ['ORC', 2],
  ] as const) {
    const number = fields.repetitions(above.get(name), at)[0];
    if (number === undefined) continue;
    const [id, authority] = [fields.component(number, 1), fields.component(number, 2)];
    if (id !== '') return ['order', at === 3 ? 'filler' : 'placer', id, authority];
  }
  return ['message', header.application, header.facility, required(header.controlId, 'MSH-10')];
}

/** The visit: its number, else the account, else the message. */
export function visitParts({ fields, header, above }: MessageContext): readonly string[] {
  for (const [name, at] of [
    ['PV1', 19],
    ['PID', 18],
  ] as const) {
    const number = fields.text(above.get(name), at);
    if (number !== '') return ['visit', name, number, fields.text(above.get(name), at, 4)];
  }
  return ['message', header.application, header.facility, required(header.controlId, 'MSH-10')];
}
