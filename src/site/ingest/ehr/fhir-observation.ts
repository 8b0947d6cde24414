// A FHIR R4 Observation as facts: one for its value, one for each component (blood pressure).
import {
  type ClinicalRecord,
  type CodedValue,
  codedFactValue,
  type FactValue,
  RowRefusal,
  type SourceFact,
} from '../clinical-record.ts';
import { type PatientsByUrl, resolvePatient } from './fhir-reference.ts';
import type { ComponentElement, ObservationResource } from './fhir-resource.ts';
import { readCode, readDay, readSystem, readUnit } from './field-value.ts';

const ucumSystem = 'http://unitsofmeasure.org';
/** Of several codings of one concept the first of these systems is taken, else the first coding. */
const preferredSystems = ['http://loinc.org', 'http://snomed.info/sct'];
const finishedStatuses = new Set(['final', 'amended', 'corrected']);
const withdrawnStatuses = new Set(['entered-in-error', 'cancelled']);
const otherValues = [
  'valueString',
  'valueRange',
  'valueRatio',
  'valueSampledData',
  'valueTime',
  'valueDateTime',
  'valuePeriod',
] as const;

/** @param id the resource's id. @throws RowRefusal. */
export function readObservation(
  resource: ObservationResource,
  id: string,
  patients: PatientsByUrl,
): ClinicalRecord {
  const { status, modifierExtension } = resource;
  // A modifier that is not understood may turn the meaning round (R4 section 2.1.0.4.2).
  if (modifierExtension !== undefined) throw new RowRefusal('UNSUPPORTED_VALUE', 'modifierExtension');
  const isWithdrawn = withdrawnStatuses.has(status ?? '');
  if (!isWithdrawn && !finishedStatuses.has(status ?? '')) throw new RowRefusal('STATUS_NOT_TAKEN', 'status');
  const { key, scope } = resolvePatient(resource.subject, 'subject', patients);
  return {
    subject: key,
    patient: null,
    sourceId: ['fhir', 'Observation', scope, id],
    facts: isWithdrawn ? [] : readFacts(resource),
    consents: [],
  };
}

function readFacts(resource: ObservationResource): SourceFact[] {
  const day = readEffectiveDay(resource);
  const measured = { kind: 'measurement', day, second: null, endDay: null } as const;
  const facts: SourceFact[] = [];
  const value = readValue(resource, 'value');
  if (value !== null)
    facts.push({ ...measured, part: 'value', code: readCoding(resource.code, 'code'), value });
  for (const [index, component] of (resource.component ?? []).entries()) {
    if (component.modifierExtension !== undefined)
      throw new RowRefusal('UNSUPPORTED_VALUE', 'modifierExtension');
    const componentValue = readValue(component, 'component.value');
    if (componentValue === null) continue;
    const code = readCoding(component.code, 'component.code');
    facts.push({ ...measured, part: `component ${index}`, code, value: componentValue });
  }
  if (facts.length === 0) throw new RowRefusal('MISSING_FIELD', 'value');
  return facts;
}

function readEffectiveDay({
  effectiveDateTime,
  effectiveInstant,
  effectivePeriod,
}: ObservationResource): number {
  const stated = effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.start;
  if (stated === undefined) throw new RowRefusal('MISSING_FIELD', 'effective');
  return readDay(stated, 'effective');
}

function readValue(element: ObservationResource | ComponentElement, field: string): FactValue | null {
  const { valueQuantity, valueCodeableConcept, valueBoolean, valueInteger } = element;
  if (valueQuantity !== undefined) {
    // `< 5` is no number that a model may take for 5.
    if (valueQuantity.comparator !== undefined)
      throw new RowRefusal('UNSUPPORTED_VALUE', `${field}.comparator`);
    if (valueQuantity.value === undefined) throw new RowRefusal('MISSING_FIELD', field);
    const { system, code } = valueQuantity;
    if (code !== undefined && system !== ucumSystem)
      throw new RowRefusal('NO_UCUM_SYSTEM', `${field}.system`);
    const unit = readUnit(code, `${field}.code`);
    return { number: valueQuantity.value, unit };
  }
  if (valueBoolean !== undefined) return { number: valueBoolean ? 1 : 0, unit: null };
  if (valueInteger !== undefined) return { number: valueInteger, unit: '1' };
  if (valueCodeableConcept !== undefined) return codedFactValue(readCoding(valueCodeableConcept, field));
  if (otherValues.some((name) => element[name] !== undefined))
    throw new RowRefusal('UNSUPPORTED_VALUE', field);
  return null;
}

export interface CodeableConcept {
  readonly coding?:
    | readonly { readonly system?: string | undefined; readonly code?: string | undefined }[]
    | undefined;
}

/** @throws RowRefusal MISSING_FIELD, BAD_CODE. */
export function readCoding(concept: CodeableConcept, field: string): CodedValue {
  const codings = (concept.coding ?? []).filter(
    ({ system, code }) => system !== undefined && code !== undefined,
  );
  const coding =
    preferredSystems.map((known) => codings.find(({ system }) => system === known)).find(Boolean) ??
    codings[0];
  if (coding?.system === undefined || coding.code === undefined) throw new RowRefusal('MISSING_FIELD', field);
  return { system: readSystem(coding.system, field), code: readCode(coding.code, field) };
}
