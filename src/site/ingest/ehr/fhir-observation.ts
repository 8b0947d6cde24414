// A FHIR R4 Observation as facts: one for its value, one for each component (blood pressure).
import {
  type ClinicalRecord,
  type CodedValue,
  codedFactValue,
  type FactValue,
  RowRefusal,
  type SourceFact,
} from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { ucumSystem } from './code-system.ts';
import { readCoding } from './fhir-coding.ts';
import { idOf, type ResourceContext, recordOf } from './fhir-context.ts';
import type { ComponentElement, ObservationResource } from './fhir-resource.ts';
import { readTime, readUnit, type StatedTime } from './field-value.ts';

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

/** @throws RowRefusal. */
export function readObservation(resource: ObservationResource, context: ResourceContext): ClinicalRecord {
  const { status, modifierExtension, subject } = resource;
  // A modifier that is not understood may turn the meaning round (R4 section 2.1.0.4.2).
  if (modifierExtension !== undefined) throw new RowRefusal('UNSUPPORTED_VALUE', 'modifierExtension');
  const isWithdrawn = withdrawnStatuses.has(status ?? '');
  if (!isWithdrawn && !finishedStatuses.has(status ?? '')) throw new RowRefusal('STATUS_NOT_TAKEN', 'status');
  const id = idOf(resource.id, context.fallbackId);
  const record = recordOf({ resourceType: 'Observation', id, subject, subjectField: 'subject' }, context);
  return isWithdrawn ? record : { ...record, facts: readFacts(resource, context.zone) };
}

/** None where the source says why there is no value, or only groups other observations. */
function readFacts(resource: ObservationResource, zone: TimeZone): SourceFact[] {
  const { component, dataAbsentReason, hasMember } = resource;
  const value = readValue(resource, 'value');
  const facts: SourceFact[] = [];
  let isExplained = dataAbsentReason !== undefined || (hasMember ?? []).length > 0;
  const { day, second } = readEffective(resource, zone);
  const add = (part: string, code: CodedValue, factValue: FactValue): void =>
    void facts.push({ kind: 'measurement', part, code, value: factValue, day, second, endDay: null });
  if (value !== null) add('value', readCoding(resource.code, 'code', 'measurement'), value);
  for (const [index, part] of (component ?? []).entries()) {
    if (part.modifierExtension !== undefined) throw new RowRefusal('UNSUPPORTED_VALUE', 'modifierExtension');
    isExplained ||= part.dataAbsentReason !== undefined;
    // Free text among the answers of a questionnaire: the others count without it.
    if (part.valueString !== undefined && (component ?? []).length > 1) continue;
    const partValue = readValue(part, 'component.value');
    if (partValue === null) continue;
    add(`component ${index}`, readCoding(part.code, 'component.code', 'measurement'), partValue);
  }
  if (facts.length === 0 && !isExplained) throw new RowRefusal('MISSING_FIELD', 'value');
  return facts;
}

function readEffective(
  { effectiveDateTime, effectiveInstant, effectivePeriod }: ObservationResource,
  zone: TimeZone,
): StatedTime {
  const stated = effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.start;
  if (stated === undefined) throw new RowRefusal('MISSING_FIELD', 'effective');
  return readTime(stated, 'effective', zone);
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
  if (valueCodeableConcept !== undefined)
    return codedFactValue(readCoding(valueCodeableConcept, field, 'measurement'));
  if (otherValues.some((name) => element[name] !== undefined))
    throw new RowRefusal('UNSUPPORTED_VALUE', field);
  return null;
}
