// Writes packed records as pseudonymous rows: new ones are added, changed and moved ones replaced, repeated ones left, deleted ones
// removed. Nothing of a record is stored before de-identification. Every call belongs into the caller's transaction.
import { BugError } from '#base/coded-error.ts';
import type { PatientKey, PatientRecord, Subject, SubjectRegistry } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import type { MergeRow } from './clinical-record.ts';
import { ConsentWriter } from './consent-writer.ts';
import { FactTable, type NewFact, type StoredFact } from './fact-table.ts';
import type { NamedRecords } from './named-records.ts';
import {
  linkKeyBytes,
  notStated,
  type PackedConsent,
  type PackedDeletion,
  type RecordBatch,
} from './record-batch.ts';

/**
 * What became of a record. `conflict`: it names two different patients. `withdrawn`: its patient withdrew, so its facts were left out. `mention`: it only names one that is known. `empty`: it
 * states no fact and took none away, as one that was entered in error and never known.
 */
export type RecordChange = 'added' | 'known' | 'conflict' | 'withdrawn' | 'mention' | 'empty';

/** Rows that were added, by kind: patient, consent and the kinds of facts. */
export type AddedRows = Readonly<Record<string, number>>;

/** Where a batch comes from. */
export interface BatchSource {
  /** The file that brings it. */
  readonly outcomeId: number;
  /** Added to the batch's row numbers: where the part of the file begins that it was read from. */
  readonly rowOffset: number;
}

export interface WriterStages {
  readonly store: Store;
  readonly subjects: SubjectRegistry;
  readonly named: NamedRecords;
}

interface CurrentSubject extends Subject {
  /** Real day + offset = stored day. */
  readonly offset: number;
}

/** Subjects that are remembered between batches. */
const rememberedSubjects = 20_000;

export class RecordWriter {
  readonly #subjects: SubjectRegistry;
  readonly #facts: FactTable;
  readonly #consents: ConsentWriter;
  #added = new Map<string, number>();
  /** Resource ids that stand for two patients in this import. */
  readonly #conflicts = new Set<string>();
  /** By link key. */
  readonly #known = new Map<string, CurrentSubject>();
  #knownAt = 0;
  readonly #fact: NewFact = {
    recordKey: 0,
    recordCheck: 0,
    subjectNo: 0,
    conceptId: 0,
    number: null,
    valueId: null,
    day: 0,
    second: null,
    endDay: null,
    outcomeId: 0,
    row: 0,
  };
  #batch: WrittenBatch | undefined;

  constructor({ store, subjects, named }: WriterStages) {
    this.#subjects = subjects;
    this.#facts = new FactTable(store, named);
    this.#consents = new ConsentWriter(store);
  }

  get added(): AddedRows {
    return Object.fromEntries(this.#added);
  }

  get addedConsents(): number {
    return this.#added.get('consent') ?? 0;
  }

  /** Begins a batch and its transaction: what another import did since the last one may have moved subjects. */
  begin(batch: RecordBatch, source: BatchSource): void {
    if (this.#knownAt !== this.#subjects.mergeCount || this.#known.size > rememberedSubjects)
      this.#known.clear();
    this.#knownAt = this.#subjects.mergeCount;
    this.#batch = new WrittenBatch(batch, source);
    this.#facts.begin(batch.recordKeys);
  }

  /** Ends the transaction's work. */
  end(): void {
    this.#facts.flush();
    const { batch, conceptCounts } = this.#current;
    for (const [index, count] of conceptCounts.entries())
      this.#count(batch.concepts[index]?.kind ?? '', count);
    this.#batch = undefined;
  }

  /** Belongs between two transactions: what is due of the index of records is done. */
  async keepUp(): Promise<void> {
    await this.#facts.keepUp();
  }

  /** To be called when a transaction was rolled back: what it told is not so. @param added what was added before it */
  forget(added: AddedRows): void {
    this.#added = new Map(Object.entries(added));
    this.#known.clear();
    this.#facts.forget();
    this.#batch = undefined;
  }

  /** @param index of the record's row in the batch */
  writeRecord(index: number): RecordChange {
    const written = this.#current;
    const { batch } = written;
    const key = written.keyOf(index);
    if (this.#conflicts.size > 0 && this.#conflicts.has(conflictName(key))) return 'conflict';
    const details = batch.details.get(index);
    const hasFacts = !Number.isNaN(batch.recordKeys[index]);
    let subject: CurrentSubject;
    let isChanged = false;
    if (details !== undefined && details.patient !== null) {
      const recorded = this.#writePatient(details.patient, batch.subjectIndexes[index] ?? 0);
      if (recorded === undefined) return 'conflict';
      ({ isChanged } = recorded);
      if (this.#writeDeath(index, recorded.subject)) isChanged = true;
      // Most patients come with nothing else: their date offset is not asked for.
      if (!hasFacts && details.consents.length === 0) return isChanged ? 'added' : 'known';
      subject = this.#withOffset(recorded.subject);
    } else {
      ({ subject, isNew: isChanged } = this.#subjectAt(batch.subjectIndexes[index] ?? 0));
      if (this.#writeDeath(index, subject)) isChanged = true;
    }
    const isLeftOut = hasFacts && subject.isErased === 1;
    if (hasFacts && !isLeftOut && this.#writeFacts(index, subject)) isChanged = true;
    for (const consent of details?.consents ?? []) if (this.#writeConsent(subject, consent)) isChanged = true;
    if (isLeftOut) return 'withdrawn';
    if (isChanged) return 'added';
    if (details !== undefined) return 'known';
    if (!hasFacts) return 'mention';
    return batch.firstFacts[index] === batch.firstFacts[index + 1] ? 'empty' : 'known';
  }

  /** Removes a record's facts and ends its consents; whether there were any. */
  deleteRecord({ recordKey, consentName }: PackedDeletion): boolean {
    const facts = this.#facts.factsOf(recordKey);
    for (const fact of facts) this.#facts.delete(recordKey, fact);
    const consentCount = this.#consents.end(consentName);
    this.#count('consent', consentCount);
    return facts.length + consentCount > 0;
  }

  /** Makes two identities one. */
  mergePatients({ survivor, retired, aliases }: MergeRow): 'added' | 'known' | 'conflict' {
    const change = this.#recordPatient({
      key: retired,
      aliases,
      otherIdentifiers: [],
      name: null,
      birthDate: null,
      sex: null,
    })?.change;
    if (change === undefined) return 'conflict';
    const isMerged = this.#subjects.mergePatients(survivor, retired);
    this.#forgetMerged();
    return isMerged || change === 'changed' ? 'added' : 'known';
  }

  get #current(): WrittenBatch {
    if (this.#batch === undefined) throw new BugError('no batch was begun');
    return this.#batch;
  }

  #writePatient(
    patient: PatientRecord,
    subjectIndex: number,
  ): { subject: Subject; isChanged: boolean } | undefined {
    const { authority, identifier } = this.#current.subjectKey(subjectIndex);
    const isOwn = patient.key.authority === authority && patient.key.identifier === identifier;
    const recorded = this.#recordPatient(patient, isOwn ? this.#current.linkKey(subjectIndex) : undefined);
    if (recorded === undefined) return undefined;
    const { subject, change } = recorded;
    if (change === 'added') this.#count('patient', 1);
    return { subject, isChanged: change !== 'known' };
  }

  /** Whether the row changed what is known of its patient's death. */
  #writeDeath(index: number, subject: Subject): boolean {
    const { batch } = this.#current;
    const statement = batch.details.get(index)?.death ?? null;
    if (statement === null || subject.isErased === 1) return false;
    const linkKey = this.#current.linkKey(batch.subjectIndexes[index] ?? 0);
    return this.#subjects.recordDeath({ subject, linkKey, statement });
  }

  /** Undefined for one whose alias stands for another patient: what names its patient by it belongs to nobody. */
  #recordPatient(patient: PatientRecord, linkKey?: Uint8Array) {
    const recorded = this.#subjects.recordPatient(patient, linkKey);
    this.#forgetMerged();
    if (recorded.change !== 'conflict') return recorded;
    for (const alias of patient.aliases) this.#conflicts.add(conflictName(alias));
    return undefined;
  }

  #subjectAt(subjectIndex: number): { subject: CurrentSubject; isNew: boolean } {
    const written = this.#current;
    const before = written.subjects[subjectIndex];
    if (before !== undefined) return { subject: before, isNew: false };
    const linkKey = written.linkKey(subjectIndex);
    const linkName = Buffer.from(linkKey.buffer, linkKey.byteOffset, linkKeyBytes).toString('latin1');
    let subject = this.#known.get(linkName);
    let isNew = false;
    if (subject === undefined) {
      const recorded = this.#subjects.recordSubject(written.subjectKey(subjectIndex), linkKey);
      subject = this.#withOffset(recorded.subject);
      ({ isNew } = recorded);
      this.#known.set(linkName, subject);
    }
    written.subjects[subjectIndex] = subject;
    return { subject, isNew };
  }

  /** After a merge what was remembered of subjects may be of a retired one. */
  #forgetMerged(): void {
    if (this.#knownAt === this.#subjects.mergeCount) return;
    this.#known.clear();
    this.#current.subjects.fill(undefined);
    this.#knownAt = this.#subjects.mergeCount;
  }

  #withOffset(subject: Subject): CurrentSubject {
    return { ...subject, offset: this.#subjects.shiftDay(subject.subjectId, 0) };
  }

  /** Makes the record's facts those that the batch has; whether that changed anything. */
  #writeFacts(index: number, subject: CurrentSubject): boolean {
    const { batch, source } = this.#current;
    const row = (batch.rowNumbers[index] ?? 0) + source.rowOffset;
    const recordKey = batch.recordKeys[index] ?? 0;
    const recordCheck = batch.recordChecks[index] ?? 0;
    const found = this.#facts.factsOf(recordKey);
    const stored = found.length === 0 ? undefined : new StoredFacts(found, recordCheck);
    const first = batch.firstFacts[index] ?? 0;
    const last = batch.firstFacts[index + 1] ?? first;
    const fact = this.#fact;
    fact.recordKey = recordKey;
    fact.recordCheck = recordCheck;
    fact.outcomeId = source.outcomeId;
    fact.row = row;
    let isChanged = false;
    for (let at = first; at < last; at += 1) {
      this.#setFact(at, subject);
      if (stored?.takeSame(fact) === true) continue;
      this.#facts.insert(fact);
      this.#countFact(batch.factConcepts[at] ?? 0);
      isChanged = true;
    }
    if (stored === undefined) return isChanged;
    const left = stored.left();
    for (const stale of left) this.#facts.delete(recordKey, stale);
    return isChanged || left.length > 0;
  }

  /** What the batch's fact says, of a subject. */
  #setFact(at: number, { subjectNo, offset }: CurrentSubject): void {
    const { batch } = this.#current;
    const number = batch.factNumbers[at] ?? Number.NaN;
    const value = batch.factValues[at] ?? -1;
    const second = batch.factSeconds[at] ?? notStated;
    const endDay = batch.factEndDays[at] ?? notStated;
    const fact = this.#fact;
    fact.subjectNo = subjectNo;
    fact.conceptId = this.#conceptId(batch.factConcepts[at] ?? 0);
    fact.number = Number.isNaN(number) ? null : number;
    fact.valueId = value === -1 ? null : this.#conceptId(value);
    fact.day = (batch.factDays[at] ?? 0) + offset;
    fact.second = second === notStated ? null : second;
    fact.endDay = endDay === notStated ? null : endDay + offset;
  }

  #conceptId(index: number): number {
    const { conceptIds, batch } = this.#current;
    const known = conceptIds[index];
    if (known !== undefined) return known;
    const concept = batch.concepts[index];
    if (concept === undefined) throw new BugError('a fact without its concept');
    const conceptId = this.#facts.conceptId(concept);
    conceptIds[index] = conceptId;
    return conceptId;
  }

  #writeConsent(subject: CurrentSubject, consent: PackedConsent): boolean {
    if (!this.#consents.write(subject, consent)) return false;
    this.#count('consent', 1);
    return true;
  }

  #countFact(conceptIndex: number): void {
    const { conceptCounts } = this.#current;
    conceptCounts[conceptIndex] = (conceptCounts[conceptIndex] ?? 0) + 1;
  }

  #count(kind: string, count: number): void {
    if (count > 0) this.#added.set(kind, (this.#added.get(kind) ?? 0) + count);
  }
}

/** A batch with what is known of its dictionaries in this store. */
class WrittenBatch {
  readonly batch: RecordBatch;
  readonly source: BatchSource;
  readonly subjects: (CurrentSubject | undefined)[] = [];
  readonly conceptIds: (number | undefined)[] = [];
  /** Facts that were added, by the concept that they are. */
  readonly conceptCounts: Uint32Array;

  constructor(batch: RecordBatch, source: BatchSource) {
    this.batch = batch;
    this.source = source;
    this.conceptCounts = new Uint32Array(batch.concepts.length);
  }

  /** How the row's record names its patient. */
  keyOf(index: number): PatientKey {
    return this.subjectKey(this.batch.subjectIndexes[index] ?? 0);
  }

  subjectKey(subjectIndex: number): PatientKey {
    const key = this.batch.subjects[subjectIndex];
    if (key === undefined) throw new BugError('a record without its patient');
    return key;
  }

  linkKey(subjectIndex: number): Uint8Array {
    const at = subjectIndex * linkKeyBytes;
    return this.batch.subjectLinkKeys.subarray(at, at + linkKeyBytes);
  }
}

/** What the store has of a record, to be compared with what it says now. */
class StoredFacts {
  /** By what they say; a record may say one thing twice. */
  readonly #left = new Map<string, StoredFact[]>();

  constructor(facts: readonly StoredFact[], recordCheck: number) {
    for (const fact of facts) {
      if (fact.record_check !== recordCheck) continue;
      const { subject_no, concept_id, number, value_id, day, second, end_day } = fact;
      const name = [subject_no, concept_id, number, value_id, day, second, end_day].join(' ');
      const same = this.#left.get(name);
      if (same === undefined) this.#left.set(name, [fact]);
      else same.push(fact);
    }
  }

  /** Takes a fact that says just this out of what is left; whether there was one. */
  takeSame({ subjectNo, conceptId, number, valueId, day, second, endDay }: NewFact): boolean {
    const name = [subjectNo, conceptId, number, valueId, day, second, endDay].join(' ');
    return this.#left.get(name)?.pop() !== undefined;
  }

  left(): StoredFact[] {
    return [...this.#left.values()].flat();
  }
}

function conflictName({ authority, identifier }: PatientKey): string {
  return `${authority}\0${identifier}`;
}
