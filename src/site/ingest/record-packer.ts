// Packs rows for the writer. Everything of a row that can be computed without the store is computed here, so that it can be done in
// another thread: keyed digests of records and links, dictionaries of codes.
import { toHex } from '#base/bytes.ts';
import { KeyedDigest } from '#federation/crypto/digest.ts';
import { linkKeyOf, type PatientKey } from '#site/deidentify/index.ts';
import {
  type ClinicalRecord,
  type ReadRow,
  recordIdentityOf,
  type SourceConsent,
  type SourceFact,
} from './clinical-record.ts';
import {
  type Concept,
  linkKeyBytes,
  notStated,
  type OtherRow,
  type PackedConsent,
  type RecordBatch,
  type RecordDetails,
  rowKinds,
} from './record-batch.ts';
import { RecordDigests } from './record-digest.ts';

/** Each half of a consent's id: of its name, and of its scope. */
const consentIdBytes = 16;

export class RecordPacker {
  readonly #linkageKey: Uint8Array;
  readonly #digest: KeyedDigest;
  readonly #records: RecordDigests;
  #batch: OpenBatch;

  constructor({ linkageKey, maxRows }: { readonly linkageKey: Uint8Array; readonly maxRows: number }) {
    this.#linkageKey = linkageKey;
    this.#digest = new KeyedDigest(linkageKey);
    this.#records = new RecordDigests(linkageKey);
    this.#batch = new OpenBatch(maxRows);
  }

  get rowCount(): number {
    return this.#batch.rowCount;
  }

  /** Whether the batch must be taken before another row goes in. */
  get isFull(): boolean {
    return this.#batch.isFull;
  }

  add(row: ReadRow): void {
    switch (row.kind) {
      case 'record':
        this.#addRecord(row.row, row.record);
        return;
      case 'reference':
        this.#batch.addRow(row.row, rowKinds.reference);
        return;
      case 'not-needed':
        this.#batch.addRow(row.row, rowKinds.notNeeded);
        return;
      case 'deletion': {
        const identity = recordIdentityOf(row.sourceId);
        this.#records.set(identity);
        const consentName = this.#consentName(JSON.stringify(identity.name));
        this.#batch.addOther({ kind: 'deletion', row: row.row, recordKey: this.#records.key, consentName });
        return;
      }
      default:
        this.#batch.addOther(row);
    }
  }

  /** The batch as it is, and a new one begun. */
  take(): RecordBatch {
    return this.#batch.take();
  }

  #addRecord(rowNumber: number, record: ClinicalRecord): void {
    const { subject, patient, death = null, sourceId, facts, consents, refusal = null } = record;
    const batch = this.#batch;
    if (patient !== null || death !== null || consents.length > 0) {
      const packed = consents.map((consent) => this.#packConsent(consent));
      batch.addDetails({ patient, death, consents: packed, refusal });
    }
    if (sourceId !== null) {
      this.#records.set(recordIdentityOf(sourceId));
      batch.setRecord(this.#records.key, this.#records.check);
      for (const fact of facts) batch.addFact(fact);
    }
    const index = batch.subjectIndex(subject, (key) => linkKeyOf(this.#linkageKey, key));
    batch.addRow(rowNumber, rowKinds.record, index);
  }

  #consentName(name: string): string {
    return toHex(this.#digest.of(`consent ${name}`).subarray(0, consentIdBytes));
  }

  #packConsent(consent: SourceConsent): PackedConsent {
    const { sourceId, researchStudyId, status, decision, isByGuardian } = consent;
    const { statedDay, statedUntilDay = null, verifiedDay = null, fromDay, untilDay, provision } = consent;
    const { name, scope } = recordIdentityOf(sourceId);
    const nameId = this.#consentName(JSON.stringify(name));
    const scopeId = toHex(
      this.#digest.of(`scope ${JSON.stringify([name, scope])}`).subarray(0, consentIdBytes),
    );
    const content = JSON.stringify([
      researchStudyId,
      status,
      decision,
      isByGuardian,
      statedDay,
      statedUntilDay,
      verifiedDay,
      fromDay,
      untilDay,
      provision,
      consent.replacement,
    ]);
    const replacement = this.#packReplacement(consent.replacement);
    const contentDigest = this.#digest.of(`content ${content}`);
    return { consentId: nameId + scopeId, contentDigest, consent, replacement };
  }

  #packReplacement(replacement: SourceConsent['replacement']): PackedConsent['replacement'] {
    if (replacement === undefined) return null;
    const digests = (names: readonly (readonly string[])[]): string[] =>
      names.map((name) => this.#consentName(JSON.stringify(name)));
    const { names, replaces, givenBy } = replacement;
    const person = givenBy.length === 0 ? null : this.#consentName(JSON.stringify(['person', ...givenBy]));
    return { names: digests(names), replaces: digests(replaces), givenBy: person };
  }
}

/** Patients and consents take ten times as long to write as facts, and each transaction of them changes most pages of their indexes. */
const mostDetails = 1_024;

/** A batch that grows. */
class OpenBatch {
  rowCount = 0;
  readonly #maxRows: number;
  #rows: ReturnType<typeof createRowColumns>;
  #facts = createFactColumns(4_096);
  #factCount = 0;
  #subjects: PatientKey[] = [];
  #linkKeys: Uint8Array[] = [];
  #subjectIndexes = new Map<string, number>();
  #lastSubject = -1;
  #concepts: Concept[] = [];
  /** By kind, system and code: joining them to one name for each fact would take longer than three looks. */
  #conceptIndexes: ConceptIndexes = new Map();
  #details = new Map<number, RecordDetails>();
  #others = new Map<number, OtherRow>();

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
    this.#rows = createRowColumns(maxRows);
  }

  get isFull(): boolean {
    const isLarge = this.rowCount >= this.#maxRows || this.#factCount >= this.#maxRows * 2;
    return isLarge || this.#details.size >= mostDetails;
  }

  addRow(rowNumber: number, kind: number, subjectIndex = 0): void {
    const { kinds, rowNumbers, subjectIndexes, firstFacts } = this.#rows;
    kinds[this.rowCount] = kind;
    rowNumbers[this.rowCount] = rowNumber;
    subjectIndexes[this.rowCount] = subjectIndex;
    this.rowCount += 1;
    firstFacts[this.rowCount] = this.#factCount;
    if (this.rowCount < this.#maxRows) this.#rows.recordKeys[this.rowCount] = Number.NaN;
  }

  addOther(row: OtherRow): void {
    this.#others.set(this.rowCount, row);
    this.addRow('row' in row ? row.row : 0, rowKinds.other);
  }

  addDetails(details: RecordDetails): void {
    this.#details.set(this.rowCount, details);
  }

  /** Of the row that is added next. */
  setRecord(recordKey: number, recordCheck: number): void {
    this.#rows.recordKeys[this.rowCount] = recordKey;
    this.#rows.recordChecks[this.rowCount] = recordCheck;
  }

  addFact({ kind, code, value, day, second, endDay }: SourceFact): void {
    if (this.#factCount === this.#facts.factDays.length) this.#facts = growFactColumns(this.#facts);
    const facts = this.#facts;
    const at = this.#factCount;
    facts.factConcepts[at] = this.#conceptIndex(kind, code.system, code.code);
    facts.factNumbers[at] = value !== null && 'number' in value ? value.number : Number.NaN;
    facts.factValues[at] = this.#valueIndex(value);
    facts.factDays[at] = day;
    facts.factSeconds[at] = second ?? notStated;
    facts.factEndDays[at] = endDay ?? notStated;
    this.#factCount += 1;
  }

  subjectIndex(key: PatientKey, linkKey: (key: PatientKey) => Uint8Array): number {
    // Exports go patient after patient, or at least often name one twice.
    const last = this.#subjects[this.#lastSubject];
    if (last?.identifier === key.identifier && last.authority === key.authority) return this.#lastSubject;
    const name = `${key.authority}\0${key.identifier}`;
    let index = this.#subjectIndexes.get(name);
    if (index === undefined) {
      index = this.#subjects.push(key) - 1;
      this.#linkKeys.push(linkKey(key));
      this.#subjectIndexes.set(name, index);
    }
    this.#lastSubject = index;
    return index;
  }

  take(): RecordBatch {
    const { rowCount } = this;
    const factCount = this.#factCount;
    const { kinds, rowNumbers, subjectIndexes, recordKeys, recordChecks, firstFacts } = this.#rows;
    const facts = this.#facts;
    const subjectLinkKeys = new Uint8Array(this.#linkKeys.length * linkKeyBytes);
    for (const [index, linkKey] of this.#linkKeys.entries())
      subjectLinkKeys.set(linkKey, index * linkKeyBytes);
    const batch: RecordBatch = {
      rowCount,
      kinds: kinds.slice(0, rowCount),
      rowNumbers: rowNumbers.slice(0, rowCount),
      subjectIndexes: subjectIndexes.slice(0, rowCount),
      recordKeys: recordKeys.slice(0, rowCount),
      recordChecks: recordChecks.slice(0, rowCount),
      firstFacts: firstFacts.slice(0, rowCount + 1),
      factConcepts: facts.factConcepts.slice(0, factCount),
      factValues: facts.factValues.slice(0, factCount),
      factNumbers: facts.factNumbers.slice(0, factCount),
      factDays: facts.factDays.slice(0, factCount),
      factSeconds: facts.factSeconds.slice(0, factCount),
      factEndDays: facts.factEndDays.slice(0, factCount),
      subjects: this.#subjects,
      subjectLinkKeys,
      concepts: this.#concepts,
      details: this.#details,
      others: this.#others,
    };
    this.#begin();
    return batch;
  }

  #begin(): void {
    this.rowCount = 0;
    this.#factCount = 0;
    this.#rows.recordKeys[0] = Number.NaN;
    this.#subjects = [];
    this.#linkKeys = [];
    this.#subjectIndexes = new Map();
    this.#lastSubject = -1;
    this.#concepts = [];
    this.#conceptIndexes = new Map();
    this.#details = new Map();
    this.#others = new Map();
  }

  #valueIndex(value: SourceFact['value']): number {
    if (value === null) return -1;
    if ('coded' in value) return this.#conceptIndex('answer', value.coded.system, value.coded.code);
    return value.unit === null ? -1 : this.#conceptIndex('unit', unitSystem, value.unit);
  }

  #conceptIndex(kind: Concept['kind'], system: string, code: string): number {
    const ofKind = this.#conceptIndexes.get(kind) ?? new Map<string, Map<string, number>>();
    const ofSystem = ofKind.get(system) ?? new Map<string, number>();
    const known = ofSystem.get(code);
    if (known !== undefined) return known;
    const index = this.#concepts.push({ kind, system, code }) - 1;
    ofSystem.set(code, index);
    ofKind.set(system, ofSystem);
    this.#conceptIndexes.set(kind, ofKind);
    return index;
  }
}

type ConceptIndexes = Map<Concept['kind'], Map<string, Map<string, number>>>;
const unitSystem = 'http://unitsofmeasure.org';

function createRowColumns(maxRows: number) {
  return {
    kinds: new Uint8Array(maxRows),
    rowNumbers: new Float64Array(maxRows),
    subjectIndexes: new Uint32Array(maxRows),
    recordKeys: new Float64Array(maxRows).fill(Number.NaN, 0, 1),
    recordChecks: new Float64Array(maxRows),
    firstFacts: new Uint32Array(maxRows + 1),
  };
}

function createFactColumns(capacity: number) {
  return {
    factConcepts: new Int32Array(capacity),
    factValues: new Int32Array(capacity),
    factNumbers: new Float64Array(capacity),
    factDays: new Int32Array(capacity),
    factSeconds: new Int32Array(capacity),
    factEndDays: new Int32Array(capacity),
  };
}

function growFactColumns(facts: ReturnType<typeof createFactColumns>): ReturnType<typeof createFactColumns> {
  const grown = createFactColumns(facts.factDays.length * 2);
  grown.factConcepts.set(facts.factConcepts);
  grown.factValues.set(facts.factValues);
  grown.factNumbers.set(facts.factNumbers);
  grown.factDays.set(facts.factDays);
  grown.factSeconds.set(facts.factSeconds);
  grown.factEndDays.set(facts.factEndDays);
  return grown;
}
