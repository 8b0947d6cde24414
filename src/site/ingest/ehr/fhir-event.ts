// FHIR R4 resources whose fact is that something was there, done or given: encounters, conditions, procedures, medications and
// immunizations. What was entered in error, refuted or not done takes the facts of its earlier versions away.
import type { z } from 'zod';
import {
  type ClinicalRecord,
  type CodedValue,
  type FactKind,
  type FactValue,
  RowRefusal,
} from '../clinical-record.ts';
import { type CodeableConcept, readCoding } from './fhir-coding.ts';
import { checkPlain, idOf, type ResourceContext, recordOf } from './fhir-context.ts';
import {
  conditionSchema,
  encounterSchema,
  immunizationSchema,
  type MedicationElements,
  medicationAdministrationSchema,
  medicationDispenseSchema,
  medicationRequestSchema,
  medicationStatementSchema,
  procedureSchema,
} from './fhir-event-resource.ts';
import type { FhirReference } from './fhir-reference.ts';
import { readCode, readSystem, readTime } from './field-value.ts';

/** What a resource says, before it is judged. Times as they are stated. */
interface StatedEvent {
  readonly subject: FhirReference | undefined;
  readonly code: () => CodedValue;
  readonly value?: () => FactValue | null;
  readonly start: string | undefined;
  readonly end?: string | undefined;
}

/** What every schema of them has. */
interface EventElements {
  readonly id?: string;
  readonly status?: string;
  readonly modifierExtension?: unknown;
}

interface EventType<T extends z.ZodType> {
  readonly kind: FactKind;
  readonly schema: T;
  /** Statuses by which it happened; all others are `withdrawn` or not taken. */
  readonly taken: ReadonlySet<string>;
  readonly withdrawn: ReadonlySet<string>;
  /** Where its status stands. */
  readonly status?: { readonly field: string; readonly of: (resource: z.infer<T>) => string };
  /** Element that says when. */
  readonly time: string;
  readonly stated: (resource: z.infer<T>, context: ResourceContext) => StatedEvent;
}

const verificationSystem = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';
const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const eventType = <T extends z.ZodType>(type: EventType<T>): EventType<z.ZodType> =>
  type as unknown as EventType<z.ZodType>;

const events = new Map<string, EventType<z.ZodType>>([
  [
    'Encounter',
    eventType({
      kind: 'encounter',
      schema: encounterSchema,
      taken: words('arrived triaged in-progress onleave finished'),
      withdrawn: words('cancelled entered-in-error'),
      time: 'period',
      stated: ({ subject, class: encounterClass, type, period }) => ({
        subject,
        // The class is stated by every format; the type, where there is one, is what more is known.
        code: () => readClass(encounterClass) ?? readCoding(type?.[0], 'type', 'encounter'),
        value: () => {
          const isMore = encounterClass?.code !== undefined && (type?.[0]?.coding ?? []).length > 0;
          return isMore ? { coded: readCoding(type?.[0], 'type', 'encounter') } : null;
        },
        start: period?.start,
        end: period?.end,
      }),
    }),
  ],
  [
    'Condition',
    eventType({
      kind: 'condition',
      schema: conditionSchema,
      taken: words('confirmed'),
      withdrawn: words('refuted entered-in-error'),
      status: {
        field: 'verificationStatus',
        of: ({ verificationStatus }) =>
          verificationStatus === undefined ? 'confirmed' : verificationOf(verificationStatus),
      },
      time: 'onset',
      stated: (resource) => ({
        subject: resource.subject,
        code: () => readCoding(resource.code, 'code', 'condition'),
        start: resource.onsetDateTime ?? resource.onsetPeriod?.start ?? resource.recordedDate,
        end: resource.abatementDateTime ?? resource.abatementPeriod?.end ?? resource.abatementPeriod?.start,
      }),
    }),
  ],
  [
    'Procedure',
    eventType({
      kind: 'procedure',
      schema: procedureSchema,
      taken: words('in-progress completed'),
      withdrawn: words('not-done entered-in-error'),
      time: 'performed',
      stated: ({ subject, code, performedDateTime, performedPeriod }) => ({
        subject,
        code: () => readCoding(code, 'code', 'procedure'),
        start: performedDateTime ?? performedPeriod?.start,
        end: performedPeriod?.end,
      }),
    }),
  ],
  [
    'Immunization',
    eventType({
      kind: 'medication',
      schema: immunizationSchema,
      taken: words('completed'),
      withdrawn: words('not-done entered-in-error'),
      time: 'occurrence',
      stated: ({ patient, vaccineCode, occurrenceDateTime }) => ({
        subject: patient,
        code: () => readCoding(vaccineCode, 'vaccineCode', 'medication'),
        start: occurrenceDateTime,
      }),
    }),
  ],
  [
    'MedicationRequest',
    eventType({
      kind: 'medication',
      schema: medicationRequestSchema,
      taken: words('active on-hold completed stopped'),
      withdrawn: words('cancelled entered-in-error'),
      status: {
        field: 'status',
        // What shall not be given was not given; what is only proposed was not ordered.
        of: ({ status, intent, doNotPerform }) => {
          if (doNotPerform === true) return 'entered-in-error';
          return /^(?:proposal|plan|option)$/.test(intent ?? '') ? '' : (status ?? '');
        },
      },
      time: 'authoredOn',
      stated: (resource, context) => ({
        ...statedMedication(resource, context),
        start: resource.authoredOn,
      }),
    }),
  ],
  [
    'MedicationStatement',
    eventType({
      kind: 'medication',
      schema: medicationStatementSchema,
      taken: words('active completed stopped on-hold'),
      withdrawn: words('not-taken entered-in-error'),
      time: 'effective',
      stated: (resource, context) => ({
        ...statedMedication(resource, context),
        start: resource.effectiveDateTime ?? resource.effectivePeriod?.start ?? resource.dateAsserted,
        end: resource.effectivePeriod?.end,
      }),
    }),
  ],
  [
    'MedicationAdministration',
    eventType({
      kind: 'medication',
      schema: medicationAdministrationSchema,
      taken: words('in-progress on-hold completed stopped'),
      withdrawn: words('not-done entered-in-error'),
      time: 'effective',
      stated: (resource, context) => ({
        ...statedMedication(resource, context),
        start: resource.effectiveDateTime ?? resource.effectivePeriod?.start,
        end: resource.effectivePeriod?.end,
      }),
    }),
  ],
  [
    'MedicationDispense',
    eventType({
      kind: 'medication',
      schema: medicationDispenseSchema,
      taken: words('completed'),
      withdrawn: words('cancelled entered-in-error stopped declined'),
      time: 'whenHandedOver',
      stated: (resource, context) => ({
        ...statedMedication(resource, context),
        start: resource.whenHandedOver ?? resource.whenPrepared,
      }),
    }),
  ],
]);

export function isEvent(resourceType: string): boolean {
  return events.has(resourceType);
}

/** @param resourceType is one of `isEvent`. @throws RowRefusal. */
export function readEvent(resourceType: string, resource: unknown, context: ResourceContext): ClinicalRecord {
  const type = events.get(resourceType);
  if (type === undefined) throw new RowRefusal('UNSUPPORTED_RESOURCE', 'resourceType');
  const read = checkPlain(type.schema, resource) as EventElements;
  if (read.modifierExtension !== undefined) throw new RowRefusal('UNSUPPORTED_VALUE', 'modifierExtension');
  const status = type.status === undefined ? (read.status ?? '') : type.status.of(read);
  const isWithdrawn = type.withdrawn.has(status);
  if (!isWithdrawn && !type.taken.has(status))
    throw new RowRefusal('STATUS_NOT_TAKEN', type.status?.field ?? 'status');
  const id = idOf(read.id, context.fallbackId);
  const stated = type.stated(read, context);
  const subjectField = resourceType === 'Immunization' ? 'patient' : 'subject';
  const record = recordOf({ resourceType, id, subject: stated.subject, subjectField }, context);
  if (isWithdrawn) return record;
  if (stated.start === undefined) throw new RowRefusal('MISSING_FIELD', type.time);
  const { day, second } = readTime(stated.start, type.time, context.zone);
  const end = stated.end === undefined ? null : readTime(stated.end, `${type.time}.end`, context.zone).day;
  // An end before the start is a slip of the source: the start is kept, the end is not known.
  const endDay = end === null || end < day ? null : end;
  const code = stated.code();
  const value = stated.value?.() ?? null;
  return { ...record, facts: [{ kind: type.kind, part: 'event', code, value, day, second, endDay }] };
}

/** The standard's own coding, where there are several. */
function verificationOf({ coding }: CodeableConcept): string {
  const own = coding?.find(({ system }) => system === verificationSystem) ?? coding?.[0];
  return own?.code ?? '';
}

function readClass(coding: { system?: string | undefined; code?: string | undefined } | undefined) {
  if (coding?.system === undefined || coding.code === undefined) return undefined;
  return { system: readSystem(coding.system, 'class'), code: readCode(coding.code, 'class') };
}

/** The medication itself: stated, contained, or another entry of the same bundle. */
function statedMedication(
  { subject, medicationCodeableConcept, medicationReference, contained }: MedicationElements,
  { medications }: ResourceContext,
): Pick<StatedEvent, 'subject' | 'code'> {
  const resolve = (): CodeableConcept | undefined => {
    const reference = medicationReference?.reference;
    if (medicationCodeableConcept !== undefined || reference === undefined) return medicationCodeableConcept;
    const own = reference.startsWith('#')
      ? contained?.find(({ id, resourceType }) => resourceType === 'Medication' && `#${id}` === reference)
          ?.code
      : medications.find(reference);
    if (own === undefined) throw new RowRefusal('UNRESOLVED_REFERENCE', 'medication');
    return own;
  };
  return { subject, code: () => readCoding(resolve(), 'medication', 'medication') };
}
