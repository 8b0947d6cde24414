// The elements that are read of FHIR R4 resources whose fact is that something was there, done or given (hl7.org/fhir/R4), as
// schemas. Other elements are dropped unread.
import type {
  Condition,
  Encounter,
  Immunization,
  MedicationAdministration,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
  Procedure,
} from '@medplum/fhirtypes';
import { z } from 'zod';
import { codeableConcept, coding, modifierExtension, period, reference, text } from './fhir-element.ts';

const common = { id: text, status: text, modifierExtension };
const about = { ...common, subject: reference.optional() };
const medication = {
  ...about,
  medicationCodeableConcept: codeableConcept.optional(),
  medicationReference: reference.optional(),
  contained: z
    .array(z.object({ resourceType: text, id: text, code: codeableConcept.optional() }))
    .max(100)
    .optional(),
};

export const encounterSchema = z.object({
  ...about,
  class: coding.optional(),
  type: z.array(codeableConcept).max(100).optional(),
  period: period.optional(),
});
export const conditionSchema = z.object({
  ...about,
  verificationStatus: codeableConcept.optional(),
  code: codeableConcept.optional(),
  onsetDateTime: text,
  onsetPeriod: period.optional(),
  abatementDateTime: text,
  abatementPeriod: period.optional(),
  recordedDate: text,
});
export const procedureSchema = z.object({
  ...about,
  code: codeableConcept.optional(),
  performedDateTime: text,
  performedPeriod: period.optional(),
});
export const immunizationSchema = z.object({
  ...common,
  patient: reference.optional(),
  vaccineCode: codeableConcept.optional(),
  occurrenceDateTime: text,
});
export const medicationRequestSchema = z.object({
  ...medication,
  intent: text,
  doNotPerform: z.boolean().optional(),
  authoredOn: text,
});
export const medicationStatementSchema = z.object({
  ...medication,
  effectiveDateTime: text,
  effectivePeriod: period.optional(),
  dateAsserted: text,
});
export const medicationAdministrationSchema = z.object({
  ...medication,
  effectiveDateTime: text,
  effectivePeriod: period.optional(),
});
export const medicationDispenseSchema = z.object({
  ...medication,
  whenHandedOver: text,
  whenPrepared: text,
});
export const medicationSchema = z.object({ id: text, code: codeableConcept.optional() });
export type MedicationElements = z.infer<typeof medicationAdministrationSchema>;

/** The schemas read what the standard's types say: a renamed element does not compile. */
type Reads<Resource, Schema extends z.ZodType> = keyof z.infer<Schema> extends keyof Resource | 'status'
  ? true
  : never;
export const readsStandardEvents: [
  Reads<Encounter, typeof encounterSchema>,
  Reads<Condition, typeof conditionSchema>,
  Reads<Procedure, typeof procedureSchema>,
  Reads<Immunization, typeof immunizationSchema>,
  Reads<MedicationRequest, typeof medicationRequestSchema>,
  Reads<MedicationStatement, typeof medicationStatementSchema>,
  Reads<MedicationAdministration, typeof medicationAdministrationSchema>,
  Reads<MedicationDispense, typeof medicationDispenseSchema>,
] = [true, true, true, true, true, true, true, true];
