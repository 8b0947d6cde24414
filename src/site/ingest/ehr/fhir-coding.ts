// One code of a FHIR CodeableConcept, whatever order its codings stand in.
import { type CodedValue, type FactKind, RowRefusal } from '../clinical-record.ts';
import { preferredSystems } from './code-system.ts';
import { readCode, readSystem } from './field-value.ts';

interface Coding {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}

export interface CodeableConcept {
  readonly coding?: readonly Coding[] | undefined;
}

/** @throws RowRefusal MISSING_FIELD, BAD_CODE. */
export function readCoding(concept: CodeableConcept | undefined, field: string, kind: FactKind): CodedValue {
  const coding = chooseCoding(concept?.coding ?? [], kind);
  if (coding?.system === undefined || coding.code === undefined) throw new RowRefusal('MISSING_FIELD', field);
  return { system: readSystem(coding.system, field), code: readCode(coding.code, field) };
}

function chooseCoding(codings: readonly Coding[], kind: FactKind): Coding | undefined {
  const [first] = codings;
  if (codings.length === 1) return first;
  const whole = codings.filter(({ system, code }) => system !== undefined && code !== undefined);
  for (const system of preferredSystems[kind]) {
    const found = whole.find((coding) => coding.system === system);
    if (found !== undefined) return found;
  }
  return whole[0];
}
