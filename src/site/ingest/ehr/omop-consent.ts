// OMOP observations that are consents. A row that is refused is kept as far as it takes something away: it may be the patient's withdrawal.
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { type ClinicalRecord, RowRefusal, type SourceConsent } from '../clinical-record.ts';
import type { TableRow } from './csv-table.ts';
import { permitNothing } from './fhir-provision.ts';
import { readConsentStatus, readDay } from './field-value.ts';
import { isMapped, type OmopContext, personKey, readConcept, required, requiredId } from './omop-row.ts';

/**
 * Value: permit or deny. Qualifier: FHIR consent status, active where there is none. Text: the last day it holds.
 * @throws RowRefusal CONSENT_WITHOUT_PATIENT; as the cells do, for one that takes nothing away.
 */
export function readOmopConsent(
  row: TableRow,
  researchStudyId: string,
  context: OmopContext,
): ClinicalRecord {
  const refusals: RowRefusal[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RowRefusal)) throw error;
      refusals.push(error);
      return undefined;
    }
  };
  const subject = attempt(() => personKey(row));
  if (subject === undefined) throw new RowRefusal('CONSENT_WITHOUT_PATIENT', 'person_id');
  const decision = attempt(() => readDecision(row, context));
  const consent: SourceConsent = {
    sourceId: ['omop', 'observation', attempt(() => readId(row)) ?? standInId(row), subject.identifier],
    researchStudyId,
    status: attempt(() => readStatus(row, context)) ?? 'active',
    decision: decision ?? 'deny',
    isByGuardian: false,
    statedDay:
      attempt(() => readDay(required(row, 'observation_date'), 'observation_date', context.zone)) ?? null,
    fromDay: null,
    untilDay: attempt(() => readUntil(row, context)) ?? null,
    // Nobody knows what it says: it permits nothing, and no earlier version of it does any more.
    provision: decision === undefined ? permitNothing : null,
    source: 'omop',
  };
  const record = { subject, patient: null, sourceId: null, facts: [], consents: [consent] };
  const [refusal] = refusals;
  if (refusal === undefined) return record;
  if (consent.decision === 'permit' && consent.status === 'active') throw refusal;
  return { ...record, refusal: { code: refusal.code, field: refusal.field } };
}

function readDecision(row: TableRow, { concepts }: OmopContext): 'permit' | 'deny' {
  const { code } = readConcept(row, 'value_as_concept_id', concepts);
  if (code !== 'permit' && code !== 'deny') throw new RowRefusal('BAD_VALUE', 'value_as_concept_id');
  return code;
}

function readStatus(row: TableRow, { concepts }: OmopContext): SourceConsent['status'] {
  if (!isMapped(row, 'qualifier_concept_id')) return 'active';
  const { code } = readConcept(row, 'qualifier_concept_id', concepts);
  return readConsentStatus(code, 'qualifier_concept_id');
}

function readUntil(row: TableRow, { zone }: OmopContext): number | null {
  const until = row.cell('value_as_string');
  return until === '' ? null : readDay(until, 'value_as_string', zone);
}

function readId(row: TableRow): string {
  return String(requiredId(row, 'observation_id'));
}

const namingColumns =
  'person_id observation_concept_id observation_date value_as_concept_id value_as_string'.split(' ');

/** By what it says: the same again is no second one. */
function standInId(row: TableRow): string {
  return `without id ${sha256Hex(utf8(JSON.stringify(namingColumns.map((column) => row.cell(column)))))}`;
}
