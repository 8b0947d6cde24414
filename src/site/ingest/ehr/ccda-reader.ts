// A C-CDA document (R2.1, and R1.1 by the same templates). It is read whole before anything of it is taken. Rows, in the order of
// the document: the patient, then each clinical statement of each section; those of other sections are not needed.
import type { PatientKey, PatientRecord } from '#site/deidentify/index.ts';
import { type ReadRow, type RecordReader, RowRefusal } from '../clinical-record.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import type { TimeZone } from '../time-zone.ts';
import {
  cdaNamespace,
  childrenOf,
  descend,
  hasTemplate,
  readInterval,
  sdtcNamespace,
} from './ccda-element.ts';
import { documentIdOf, readDocumentPatient, readDocumentPatientKey } from './ccda-header.ts';
import { productSections } from './ccda-medications.ts';
import { observationSections } from './ccda-observations.ts';
import { problemSections } from './ccda-problems.ts';
import { eventSections } from './ccda-procedures.ts';
import {
  idOf,
  plainStatements,
  type SectionFamily,
  type Statement,
  type StatementReading,
} from './ccda-statement.ts';
import { deathFact } from './fhir-patient.ts';
import { XmlDocument, type XmlElement, XmlRefusal } from './xml-document.ts';

const families: readonly SectionFamily[] = [
  problemSections,
  ...observationSections,
  ...productSections,
  ...eventSections,
];

export class CcdaReader implements RecordReader {
  readonly #zone: TimeZone;
  // The narrative is for people; it is checked and not kept.
  readonly #xml = new XmlDocument({
    isLeftOut: ({ name }, parent) => name === 'text' && parent?.name === 'section',
  });

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  *write(bytes: Uint8Array): Generator<ReadRow> {
    const refused = refusalOf(() => this.#xml.write(bytes));
    if (refused !== undefined) yield { kind: 'file-refused', code: refused, field: null };
  }

  *end(): Generator<ReadRow> {
    let document: XmlElement | undefined;
    const refused = refusalOf(() => {
      document = this.#xml.end();
      checkDocument(document);
    });
    if (document === undefined || refused !== undefined) {
      yield { kind: 'file-refused', code: refused ?? 'MALFORMED_XML', field: null };
      return;
    }
    yield* new DocumentRows(document, this.#zone).read();
  }
}

function refusalOf(step: () => void): FileRefusalCode | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    if (error instanceof XmlRefusal) return error.code;
    throw error;
  }
}

/** Names of elements that are parts of a document and are met alone in examples and in broken exports. */
function checkDocument(document: XmlElement): void {
  if (document.name !== 'ClinicalDocument' || document.namespace !== cdaNamespace)
    throw new XmlRefusal('CDA_FRAGMENT');
  const component = descend(document, 'component');
  if (descend(component, 'structuredBody') !== undefined) return;
  throw new XmlRefusal(descend(component, 'nonXMLBody') === undefined ? 'CDA_FRAGMENT' : 'CDA_UNSTRUCTURED');
}

class DocumentRows {
  readonly #document: XmlElement;
  readonly #zone: TimeZone;
  #key: PatientKey | undefined;
  #row = 0;
  /** Contents by identity: documents repeat ids, for one statement in two sections and for two statements in one. */
  readonly #occurrences = new Map<string, Map<string, number>>();

  constructor(document: XmlElement, zone: TimeZone) {
    this.#document = document;
    this.#zone = zone;
  }

  *read(): Generator<ReadRow> {
    yield this.#readPatient();
    for (const section of sectionsOf(this.#document)) {
      const family = familyOf(section);
      for (const entry of childrenOf(section, 'entry')) yield* this.#readEntry(entry, family);
    }
  }

  *#readEntry(entry: XmlElement, family: SectionFamily | undefined): Generator<ReadRow> {
    const statements = (family?.statementsOf ?? plainStatements)(entry);
    if (statements.length === 0 || family === undefined || entry.attributes.has('nullFlavor')) {
      const count = Math.max(1, statements.length);
      for (let index = 0; index < count; index += 1) yield { kind: 'not-needed', row: this.#nextRow() };
      return;
    }
    for (const statement of statements) yield this.#readStatement(statement, family);
  }

  #nextRow(): number {
    this.#row += 1;
    return this.#row;
  }

  #guarded(read: (row: number) => ReadRow): ReadRow {
    const row = this.#nextRow();
    try {
      return read(row);
    } catch (error) {
      if (error instanceof RowRefusal) return { kind: 'refused', row, code: error.code, field: error.field };
      throw error;
    }
  }

  #readPatient(): ReadRow {
    return this.#guarded((row) => {
      this.#key = readDocumentPatientKey(this.#document);
      const patient: PatientRecord = readDocumentPatient(this.#document);
      return {
        kind: 'record',
        row,
        record: { subject: patient.key, patient, ...this.#readDeath(patient.key), consents: [] },
      };
    });
  }

  /** A document that does not state it leaves a death as it is. */
  #readDeath({ authority, identifier }: PatientKey) {
    const patient = descend(this.#document, 'recordTarget', 'patientRole', 'patient');
    const death = patient?.children.find(
      ({ name, namespace }) => name === 'deceasedTime' && namespace === sdtcNamespace,
    );
    const stated = readInterval(death, this.#zone);
    return stated === undefined
      ? { sourceId: null, facts: [] }
      : { sourceId: ['ccda', 'patient', authority, identifier], facts: [deathFact(stated)] };
  }

  #readStatement(statement: Statement, family: SectionFamily): ReadRow {
    return this.#guarded((row) => {
      const reading = family.read(statement, this.#zone);
      if (reading === null) return { kind: 'not-needed', row };
      if (this.#key === undefined) throw new RowRefusal('UNRESOLVED_REFERENCE', 'recordTarget');
      const sourceId = this.#identify(statement, family, reading);
      return {
        kind: 'record',
        row,
        record: { subject: this.#key, patient: null, sourceId, facts: reading.facts, consents: [] },
      };
    });
  }

  /** By the statement's own id, else by its place in the document. Two statements that share an id stay two. */
  #identify(statement: Statement, family: SectionFamily, { code, facts }: StatementReading): string[] {
    const { authority = '', identifier = '' } = this.#key ?? {};
    const id = idOf(statement) ?? ['document', ...documentIdOf(this.#document)];
    const base = ['ccda', authority, identifier, family.name, ...id, code.system, code.code];
    const contents = this.#occurrences.get(JSON.stringify(base)) ?? new Map<string, number>();
    this.#occurrences.set(JSON.stringify(base), contents);
    const content = JSON.stringify(facts);
    const occurrence = contents.get(content) ?? contents.size;
    contents.set(content, occurrence);
    return occurrence === 0 ? base : [...base, String(occurrence)];
  }
}

/** Sections in the order of the document, those inside others included. */
function* sectionsOf(document: XmlElement): Generator<XmlElement> {
  const waiting = childrenOf(descend(document, 'component', 'structuredBody'), 'component');
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    for (const section of childrenOf(at, 'section')) {
      yield section;
      waiting.unshift(...childrenOf(section, 'component'));
    }
  }
}

function familyOf(section: XmlElement): SectionFamily | undefined {
  const byTemplate = families.find(({ templates }) => hasTemplate(section, templates));
  if (byTemplate !== undefined) return byTemplate;
  const code = descend(section, 'code')?.attributes.get('code') ?? '';
  return families.find(({ codes }) => codes.has(code));
}
