// The elements of FHIR R4 resources that are read (hl7.org/fhir/R4), as schemas. Other elements are dropped unread; what may not
// be overlooked (modifierExtension) is kept.
import type { Consent, Observation, Patient } from '@medplum/fhirtypes';
import { z } from 'zod';
import { codeableConcept, identifier, modifierExtension, period, reference, text } from './fhir-element.ts';

export const patientSchema = z.object({
  resourceType: z.literal('Patient'),
  id: text,
  identifier: z.array(identifier).max(100).optional(),
  name: z
    .array(
      z.object({ use: text, text, family: text, given: z.array(z.string().max(10_000)).max(100).optional() }),
    )
    .max(100)
    .optional(),
  gender: text,
  birthDate: text,
  deceasedBoolean: z.boolean().optional(),
  deceasedDateTime: text,
  link: z
    .array(z.object({ other: reference, type: text }))
    .max(100)
    .optional(),
  modifierExtension,
});
export type PatientResource = z.infer<typeof patientSchema>;

const quantity = z.object({
  value: z.number().optional(),
  comparator: text,
  unit: text,
  system: text,
  code: text,
});
const value = {
  valueQuantity: quantity.optional(),
  valueCodeableConcept: codeableConcept.optional(),
  valueBoolean: z.boolean().optional(),
  valueInteger: z.int().optional(),
  dataAbsentReason: z.unknown().optional(),
  /** Kinds that are told apart only to be refused by name. */
  valueString: z.unknown().optional(),
  valueRange: z.unknown().optional(),
  valueRatio: z.unknown().optional(),
  valueSampledData: z.unknown().optional(),
  valueTime: z.unknown().optional(),
  valueDateTime: z.unknown().optional(),
  valuePeriod: z.unknown().optional(),
};
const component = z.object({ code: codeableConcept, modifierExtension, ...value });
export type ComponentElement = z.infer<typeof component>;

export const observationSchema = z.object({
  resourceType: z.literal('Observation'),
  id: text,
  status: text,
  code: codeableConcept,
  subject: reference.optional(),
  effectiveDateTime: text,
  effectiveInstant: text,
  effectivePeriod: period.optional(),
  component: z.array(component).max(1000).optional(),
  hasMember: z.array(z.unknown()).max(1000).optional(),
  modifierExtension,
  ...value,
});
export type ObservationResource = z.infer<typeof observationSchema>;

export const consentSchema = z.object({
  resourceType: z.literal('Consent'),
  id: text,
  status: text,
  scope: codeableConcept.optional(),
  patient: reference.optional(),
  dateTime: text,
  /** Who agreed. */
  performer: z.array(reference).max(100).optional(),
  /** Read by fhir-verification.ts. */
  verification: z.unknown().optional(),
  policyRule: codeableConcept.optional(),
  /** Rules within rules: read by fhir-provision.ts, which looks for modifiers in the whole resource. */
  provision: z.unknown().optional(),
});
export type ConsentResource = z.infer<typeof consentSchema>;

/** The schemas read what the standard's types say: a renamed element does not compile. */
type Reads<Resource, Read> = keyof Read extends keyof Resource ? true : never;
export const readsStandardElements: [
  Reads<Patient, PatientResource>,
  Reads<Observation, ObservationResource>,
  Reads<Consent, ConsentResource>,
] = [true, true, true];
