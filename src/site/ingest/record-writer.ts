// Writes records as pseudonymous rows: new ones are added, changed ones replaced, repeated ones left. Nothing of a record is
// stored before de-identification. Every call belongs into the caller's transaction.
import { concatBytes, equalBytes, toHex, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { hmacSha256, sha256 } from '#federation/crypto/digest.ts';
import type { PatientKey, PatientRecord, SubjectCalendar, SubjectRegistry } from '#site/deidentify/index.ts';
import type { Database, Store } from '#site/store/index.ts';
import type { ClinicalRecord, SourceConsent, SourceFact } from './clinical-record.ts';

/** What became of a record. `conflict`: it names two different patients. */
export type RecordChange = 'added' | 'known' | 'conflict';

/** Rows that were added, by kind. */
export interface AddedRows {
  patient: number;
  fact: number;
  consent: number;
}

export interface RecordWriterOptions {
  readonly store: Store;
  readonly subjects: SubjectRegistry;
  /** Keys source identities and content digests, so that neither can be searched for a date or an identifier. */
  readonly linkageKey: Uint8Array;
}

interface StoredFact {
  readonly fact_id: number;
  readonly source_key: Uint8Array;
  readonly content_digest: Uint8Array;
}

interface CurrentSubject {
  readonly name: string;
  readonly subjectId: string;
  readonly calendar: SubjectCalendar;
}

interface WrittenSubject {
  readonly subject: CurrentSubject;
  /** Whether the patient or the subject is new or changed. */
  readonly isChanged: boolean;
}

const factColumns =
  'subject_id, code_system, code, value_number, unit, value_system, value_code, day, age_years, source_key, content_digest, outcome_id';

/** Source keys of one record share their first half: what the record no longer says is found by it. */
const halfKeyBytes = 16;

export class RecordWriter {
  readonly added: AddedRows = { patient: 0, fact: 0, consent: 0 };
  readonly #store: Store;
  readonly #subjects: SubjectRegistry;
  readonly #linkageKey: Uint8Array;
  /** Resource ids that stand for two patients in this batch. */
  readonly #conflicts = new Set<string>();
  /** Rows of one patient mostly stand together. Forgotten with each transaction and identity. */
  #lastSubject: CurrentSubject | undefined;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor({ store, subjects, linkageKey }: RecordWriterOptions) {
    this.#store = store;
    this.#subjects = subjects;
    this.#linkageKey = linkageKey;
    this.#statements = prepareStatements(store);
  }

  /** Begins a transaction: what another batch did since the last one may have moved subjects. */
  begin(): void {
    this.#lastSubject = undefined;
  }

  /** @param outcomeId the file that brings it */
  write(record: ClinicalRecord, outcomeId: number): RecordChange {
    if (this.#conflicts.has(conflictName(record.subject))) return 'conflict';
    const written =
      record.patient === null ? this.#writeSubject(record.subject) : this.#writePatient(record.patient);
    if (written === undefined) return 'conflict';
    const { subject } = written;
    let { isChanged } = written;
    if (record.sourceId !== null && this.#writeFacts(subject, record, outcomeId)) isChanged = true;
    for (const consent of record.consents) if (this.#writeConsent(subject, consent)) isChanged = true;
    return isChanged ? 'added' : 'known';
  }

  #writePatient(patient: PatientRecord): WrittenSubject | undefined {
    const { subjectId, change } = this.#subjects.recordPatient(patient);
    this.#lastSubject = undefined;
    if (change === 'conflict') {
      if (patient.alias !== null) this.#conflicts.add(conflictName(patient.alias));
      return undefined;
    }
    if (change === 'added') this.added.patient += 1;
    const calendar = this.#subjects.calendarOf(subjectId);
    return {
      subject: { name: conflictName(patient.key), subjectId, calendar },
      isChanged: change !== 'known',
    };
  }

  #writeSubject(key: PatientKey): WrittenSubject {
    const name = conflictName(key);
    if (this.#lastSubject?.name === name) return { subject: this.#lastSubject, isChanged: false };
    const { subjectId, isNew } = this.#subjects.recordSubject(key);
    this.#lastSubject = { name, subjectId, calendar: this.#subjects.calendarOf(subjectId) };
    return { subject: this.#lastSubject, isChanged: isNew };
  }

  #writeFacts(subject: CurrentSubject, { sourceId, facts }: ClinicalRecord, outcomeId: number): boolean {
    // The half that is not stored keys what is derived from it.
    const recordMac = this.#mac('record', sourceId);
    const recordKey = recordMac.subarray(0, halfKeyBytes);
    const stored = this.#statements.factsOfRecord.all(
      concatBytes(recordKey, new Uint8Array(halfKeyBytes)),
      concatBytes(recordKey, new Uint8Array(halfKeyBytes).fill(0xff)),
    ) as StoredFact[];
    const left = new Map(stored.map((fact) => [toHex(fact.source_key), fact]));
    let isChanged = false;
    for (const fact of facts) {
      const partKey = sha256(concatBytes(recordMac, utf8(`part ${fact.part}`))).subarray(0, halfKeyBytes);
      const sourceKey = concatBytes(recordKey, partKey);
      const contentDigest = sha256(concatBytes(recordMac, utf8(JSON.stringify(factContent(fact)))));
      const known = left.get(toHex(sourceKey));
      left.delete(toHex(sourceKey));
      if (known !== undefined && equalBytes(known.content_digest, contentDigest)) continue;
      if (known === undefined) this.added.fact += 1;
      else this.#statements.deleteFact.run(known.fact_id);
      this.#statements.insertFact.run(...factRow(subject, fact), sourceKey, contentDigest, outcomeId);
      isChanged = true;
    }
    for (const { fact_id } of left.values()) this.#statements.deleteFact.run(fact_id);
    return isChanged || left.size > 0;
  }

  #writeConsent({ subjectId, calendar }: CurrentSubject, consent: SourceConsent): boolean {
    const { query, clock } = this.#store;
    const consentId = toHex(this.#mac('consent', consent.sourceId));
    const contentDigest = this.#mac('content', consentContent(consent));
    const latest = this.#store.get(
      query
        .selectFrom('consent')
        .select(['version', 'content_digest'])
        .where('consent_id', '=', consentId)
        .orderBy('version', 'desc')
        .limit(1),
    );
    if (latest !== undefined && equalBytes(latest.content_digest, contentDigest)) return false;
    const shift = (day: number | null): number | null => (day === null ? null : calendar.shiftDay(day));
    this.#store.run(
      query.insertInto('consent').values({
        consent_id: consentId,
        version: (latest?.version ?? 0) + 1,
        subject_id: subjectId,
        research_study_id: consent.researchStudyId,
        status: consent.status,
        decision: consent.decision,
        stated_day: shift(consent.statedDay),
        from_day: shift(consent.fromDay),
        until_day: shift(consent.untilDay),
        source: consent.source,
        content_digest: contentDigest,
        recorded_at: isoTime(clock.nowMs()),
      }),
    );
    this.added.consent += 1;
    return true;
  }

  /** Keyed digest of a list; its JSON is one-to-one with it. */
  #mac(purpose: string, parts: readonly unknown[] | null): Uint8Array {
    return hmacSha256(this.#linkageKey, utf8(JSON.stringify([purpose, parts])));
  }
}

function prepareStatements(store: Database) {
  return {
    factsOfRecord: store.prepare(
      'SELECT fact_id, source_key, content_digest FROM fact WHERE source_key BETWEEN ? AND ?',
    ),
    insertFact: store.prepare(
      `INSERT INTO fact (${factColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deleteFact: store.prepare('DELETE FROM fact WHERE fact_id = ?'),
  };
}

/** The columns from `subject_id` to `age_years`. */
function factRow(
  { subjectId, calendar }: CurrentSubject,
  { code, value, day }: SourceFact,
): readonly unknown[] {
  const [number, unit, coded] =
    value === null
      ? [null, null, null]
      : 'coded' in value
        ? [null, null, value.coded]
        : [value.number, value.unit, null];
  const said = [code.system, code.code, number, unit, coded?.system ?? null, coded?.code ?? null];
  return [subjectId, ...said, calendar.shiftDay(day), calendar.ageOn(day)];
}

function conflictName({ authority, identifier }: PatientKey): string {
  return `${authority}\0${identifier}`;
}

/** What the source says, with the real day; neither the age nor the shift, which follow from the patient. */
function factContent({ code, value, day }: SourceFact): readonly unknown[] {
  const isCoded = value !== null && 'coded' in value;
  const said =
    value === null ? [] : isCoded ? [value.coded.system, value.coded.code] : [value.number, value.unit];
  return [code.system, code.code, isCoded, ...said, day];
}

function consentContent(consent: SourceConsent): readonly unknown[] {
  const { researchStudyId, status, decision, statedDay, fromDay, untilDay } = consent;
  return [researchStudyId, status, decision, statedDay, fromDay, untilDay];
}
