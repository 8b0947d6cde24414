// A C-CDA document (R2.1, and R1.1 by the same templates). Entries are read one by one, and their rows held until the document is whole:
// one that breaks off gives nothing. Rows, in the order of the document: the patient, then each clinical statement of each section; those of other sections are not needed.
import type { PatientKey, PatientRecord } from '#site/deidentify/index.ts';
import { type ReadRow, type RecordReader, RowRefusal } from '../clinical-record.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import type { TimeZone } from '../time-zone.ts';
import { cdaNamespace, descend, hasTemplate } from './ccda-element.ts';
import {
  documentIdOf,
  readDocumentLife,
  readDocumentPatient,
  readDocumentPatientKey,
} from './ccda-header.ts';
import { productSections } from './ccda-medications.ts';
import { observationSections } from './ccda-observations.ts';
import { problemSections } from './ccda-problems.ts';
import { eventSections } from './ccda-procedures.ts';
import {
  idOf,
  isNegated,
  plainStatements,
  type SectionFamily,
  type Statement,
  type StatementReading,
} from './ccda-statement.ts';
import { deathFact } from './death.ts';
import { RecordOccurrences } from './record-occurrences.ts';
import { XmlDocument, type XmlElement, XmlRefusal } from './xml-document.ts';

const families: readonly SectionFamily[] = [
  problemSections,
  ...observationSections,
  ...productSections,
  ...eventSections,
];

export class CcdaReader implements RecordReader {
  readonly #zone: TimeZone;
  readonly #xml: XmlDocument;
  /** Rows of a document that is not whole yet. */
  #held: DocumentRows | undefined;

  constructor(zone: TimeZone) {
    this.#zone = zone;
    this.#xml = new XmlDocument({
      // The narrative is for people; it is checked and not kept.
      isLeftOut: ({ name }, parent) => name === 'text' && parent?.name === 'section',
      take: (element, around) => this.#takeEntry(element, around),
    });
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
    yield* (this.#held ?? new DocumentRows(document, this.#zone)).rows();
  }

  /** The header stands before the body, and a section's code and templates before its entries (the schema of CDA is a sequence). */
  #takeEntry(element: XmlElement, around: readonly XmlElement[]): boolean {
    const [document] = around;
    const section = around.at(-1);
    if (element.name !== 'entry' || section?.name !== 'section' || document?.name !== 'ClinicalDocument')
      return false;
    this.#held ??= new DocumentRows(document, this.#zone);
    this.#held.readEntry(element, section);
    return true;
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
  readonly #occurrences = new RecordOccurrences();

  /** As JSON: a row takes a fifth of the room, and large documents have hundreds of thousands. */
  readonly #rows: string[] = [];

  /** @param document with its header whole */
  constructor(document: XmlElement, zone: TimeZone) {
    this.#document = document;
    this.#zone = zone;
    this.#hold(this.#readPatient());
  }

  readEntry(entry: XmlElement, section: XmlElement): void {
    const family = familyOf(section);
    const statements = (family?.statementsOf ?? plainStatements)(entry);
    if (statements.length === 0 || family === undefined || entry.attributes.has('nullFlavor')) {
      const count = Math.max(1, statements.length);
      for (let index = 0; index < count; index += 1) this.#hold({ kind: 'not-needed', row: this.#nextRow() });
      return;
    }
    for (const statement of statements) this.#hold(this.#readStatement(statement, family));
  }

  *rows(): Generator<ReadRow> {
    for (const row of this.#rows) yield JSON.parse(row) as ReadRow;
  }

  #hold(row: ReadRow): void {
    this.#rows.push(JSON.stringify(row));
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
    const { says, time } = readDocumentLife(this.#document, this.#zone);
    const death = says === undefined ? undefined : ({ source: 'ccda', says } as const);
    const facts = time === undefined ? [] : [deathFact(time)];
    const isStated = facts.length > 0 || says === 'alive';
    return { death, sourceId: isStated ? ['ccda', 'patient', authority, identifier] : null, facts };
  }

  #readStatement(statement: Statement, family: SectionFamily): ReadRow {
    return this.#guarded((row) => {
      const reading = this.#readFamily(statement, family);
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

  /** What is denied need not be said well. */
  #readFamily(statement: Statement, family: SectionFamily): StatementReading | null {
    try {
      return family.read(statement, this.#zone);
    } catch (error) {
      if (error instanceof RowRefusal && isNegated(statement)) return null;
      throw error;
    }
  }

  /** By the statement's own id, else by its place in the document. Two statements that share an id stay two. */
  #identify(statement: Statement, family: SectionFamily, { code, facts }: StatementReading): string[] {
    const { authority = '', identifier = '' } = this.#key ?? {};
    const id = idOf(statement) ?? ['document', ...documentIdOf(this.#document)];
    // One flat text: parts of the document's text would keep all of it in memory.
    const name = JSON.stringify([authority, identifier, family.name, ...id, code.system, code.code]);
    const occurrence = this.#occurrences.numberOf(name, JSON.stringify(facts));
    return occurrence === 0 ? ['ccda', name] : ['ccda', name, String(occurrence)];
  }
}

function familyOf(section: XmlElement): SectionFamily | undefined {
  const byTemplate = families.find(({ templates }) => hasTemplate(section, templates));
  if (byTemplate !== undefined) return byTemplate;
  const code = descend(section, 'code')?.attributes.get('code') ?? '';
  return families.find(({ codes }) => codes.has(code));
}
