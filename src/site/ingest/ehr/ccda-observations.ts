// Results, vital signs and social history of C-CDA as measurements: organizers of observations (templates 22.4.1, 22.4.26), or
// observations alone.
import { type CodedValue, type FactValue, RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { childrenOf, descend, hasTemplate, readConcept, readTime, readValue } from './ccda-element.ts';
import {
  isNoFact,
  isStatement,
  isWithdrawn,
  plainStatements,
  type SectionFamily,
  type Statement,
  type StatementReading,
  withoutParts,
} from './ccda-statement.ts';
import { loincSystem } from './code-system.ts';
import type { XmlElement } from './xml-document.ts';

const section = '2.16.840.1.113883.10.20.22.2';
/** Of one observation: each is a fact, and all facts of a record go in at once. */
const maxValues = 1_000;
/** Smoking Status and Tobacco Use of R1.1 have an assertion where R2.1 has the LOINC code of the question. */
const smokingTemplates = new Set(['2.16.840.1.113883.10.20.22.4.78']);
const smokingStatus: CodedValue = { system: loincSystem, code: '72166-2' };

function observationFamily(
  name: string,
  recognised: Pick<SectionFamily, 'templates' | 'codes'>,
): SectionFamily {
  return { name, ...recognised, statementsOf: observationsOf, read };
}

export const observationSections: readonly SectionFamily[] = [
  observationFamily('result', {
    templates: new Set([`${section}.3`, `${section}.3.1`]),
    codes: new Set(['30954-2']),
  }),
  observationFamily('vital-sign', {
    templates: new Set([`${section}.4`, `${section}.4.1`]),
    codes: new Set(['8716-3']),
  }),
  observationFamily('social-history', { templates: new Set([`${section}.17`]), codes: new Set(['29762-2']) }),
];

function observationsOf(entry: XmlElement): Statement[] {
  return plainStatements(entry).flatMap((statement) => {
    if (statement.element.name !== 'organizer') return [statement];
    const around = withoutParts(statement.element);
    const parts = childrenOf(statement.element, 'component').flatMap((component) =>
      component.children.filter(isStatement).map((element) => ({ element, around }) satisfies Statement),
    );
    return parts.length > 0 ? parts : [statement];
  });
}

function read(statement: Statement, zone: TimeZone): StatementReading | null {
  const { element, around } = statement;
  if (element.name !== 'observation' || isNoFact(statement)) return null;
  const stated = childrenOf(element, 'value');
  if (stated.length > maxValues) throw new RowRefusal('BAD_VALUE', 'value');
  const values = stated.map(readValue);
  const code = codeOf(element);
  // What is stated to be unknown leaves nothing of what was stated before.
  if (values.length > 0 && values.every((value) => value === null)) return { code, facts: [] };
  if (isWithdrawn(statement, { taken: ['completed'] })) return { code, facts: [] };
  if (values.length === 0) throw new RowRefusal('MISSING_FIELD', 'value');
  const times = [...childrenOf(element, 'effectiveTime'), ...childrenOf(around, 'effectiveTime')];
  const { day, second } = readTime(times, zone);
  const facts = values.flatMap((value: FactValue | null, index) => {
    const part = index === 0 ? 'value' : `value ${index}`;
    return value === null
      ? []
      : [{ kind: 'measurement' as const, part, code, value, day, second, endDay: null }];
  });
  return { code, facts };
}

function codeOf(element: XmlElement): CodedValue {
  const code = descend(element, 'code');
  const isAssertion = code?.attributes.get('code') === 'ASSERTION';
  return isAssertion && hasTemplate(element, smokingTemplates) ? smokingStatus : readConcept(code, 'code');
}
