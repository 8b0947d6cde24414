// One clinical statement of a C-CDA section: whether it is a fact at all (mood, negation, null flavour, status), and its identity.
import { type CodedValue, RowRefusal, type SourceFact } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { childrenOf, descend, isNull } from './ccda-element.ts';
import type { XmlElement } from './xml-document.ts';

export interface Statement {
  readonly element: XmlElement;
  /** The act or organizer that it stands in, without what else stands there. */
  readonly around: XmlElement | undefined;
}

/** What a statement says: its code, and its facts, none where it was withdrawn. */
export interface StatementReading {
  readonly code: CodedValue;
  readonly facts: readonly SourceFact[];
}

/** Sections of one kind: how they are recognised, what their statements are and how these are read. */
export interface SectionFamily {
  readonly name: string;
  /** Template roots (C-CDA R1.1 and R2.1 share them). */
  readonly templates: ReadonlySet<string>;
  /** LOINC section codes, for documents without these templates. */
  readonly codes: ReadonlySet<string>;
  /** The statements of an entry: each is a row. */
  statementsOf(entry: XmlElement): readonly Statement[];
  /** Null: there is nothing to take (planned, or what it is about is unknown). @throws RowRefusal. */
  read(statement: Statement, zone: TimeZone): StatementReading | null;
}

/** Statements directly in an entry, without what stands around them. */
export function plainStatements(entry: XmlElement): Statement[] {
  return entry.children.filter(isStatement).map((element) => ({ element, around: undefined }));
}

/** An act or organizer without its parts: each of thousands of parts asks it for its time and status. */
export function withoutParts(element: XmlElement): XmlElement {
  const children = element.children.filter(
    ({ name }) => name !== 'component' && name !== 'entryRelationship',
  );
  return { ...element, children };
}

const statementNames = new Set([
  'act',
  'encounter',
  'observation',
  'observationMedia',
  'organizer',
  'procedure',
  'regionOfInterest',
  'substanceAdministration',
  'supply',
]);

export function isStatement({ name }: XmlElement): boolean {
  return statementNames.has(name);
}

/** Statements named `name` inside the relationships of acts in an entry (concerns, discharge medications), else the entry's own. */
export function relatedStatements(entry: XmlElement, name: string): Statement[] {
  return plainStatements(entry).flatMap((statement) => {
    if (statement.element.name !== 'act') return [statement];
    const around = withoutParts(statement.element);
    const related = childrenOf(statement.element, 'entryRelationship').flatMap((relationship) =>
      childrenOf(relationship, name).map((element) => ({
        relation: relationship.attributes.get('typeCode'),
        statement: { element, around },
      })),
    );
    // A concern also refers to its priority and to other concerns; its subject is what it is about.
    const subjects = related.filter(({ relation }) => relation === 'SUBJ');
    const chosen = (subjects.length > 0 ? subjects : related).map((found) => found.statement);
    return chosen.length > 0 ? chosen : [statement];
  });
}

/** What is only planned, or is not known, is no fact. */
export function isNoFact({ element, around }: Statement, moods: readonly string[] = ['EVN']): boolean {
  const parts = around === undefined ? [element] : [element, around];
  return parts.some((part) => isNull(part) || !moods.includes(part.attributes.get('moodCode') ?? 'EVN'));
}

/** What did not happen. Where an earlier document said that it did, that was an error. */
export function isNegated({ element, around }: Statement): boolean {
  return [element, around].some((part) => part?.attributes.get('negationInd') === 'true');
}

export interface StatusRule {
  readonly taken: readonly string[];
  /** Of what states no status. */
  readonly isOptional?: boolean;
}

/** Whether the statement was withdrawn or denied. @throws RowRefusal STATUS_NOT_TAKEN. */
export function isWithdrawn(statement: Statement, { taken, isOptional = false }: StatusRule): boolean {
  if (isNegated(statement)) return true;
  const { element, around } = statement;
  const stated = [element, around].map((part) => descend(part, 'statusCode')?.attributes.get('code'));
  if (stated.some((status) => status === 'nullified' || status === 'cancelled')) return true;
  const [status] = stated;
  if (status === undefined ? !isOptional : !taken.includes(status))
    throw new RowRefusal('STATUS_NOT_TAKEN', 'statusCode');
  return false;
}

/** Root and extension of the statement's own id; undefined where it has none. */
export function idOf({ element }: Statement): readonly [string, string] | undefined {
  for (const { attributes } of childrenOf(element, 'id')) {
    const root = attributes.get('root');
    if (root !== undefined && root !== '') return [root, attributes.get('extension') ?? ''];
  }
  return undefined;
}
