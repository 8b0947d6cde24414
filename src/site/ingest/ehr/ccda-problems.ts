// Problems and diagnoses of C-CDA as conditions: Problem Concern Act (template 22.4.3) and Problem Observation (22.4.4).
import { childrenOf, isNull, readConcept, readTime } from './ccda-element.ts';
import { isNoFact, isWithdrawn, relatedStatements, type SectionFamily } from './ccda-statement.ts';

const section = '2.16.840.1.113883.10.20.22.2';
const status = { taken: ['active', 'completed', 'suspended', 'aborted'], isOptional: true };

export const problemSections: SectionFamily = {
  name: 'problem',
  templates: new Set([`${section}.5`, `${section}.5.1`, `${section}.20`, `${section}.24`, `${section}.43`]),
  codes: new Set(['11450-4', '11348-0', '11535-2', '46241-6']),
  statementsOf: (entry) => relatedStatements(entry, 'observation'),
  read(statement, zone) {
    const { element, around } = statement;
    const value = childrenOf(element, 'value')[0];
    if (element.name !== 'observation' || isNoFact(statement)) return null;
    if (isNull(value) && childrenOf(value, 'translation').length === 0) return null;
    const code = readConcept(value, 'value', 'condition');
    if (isWithdrawn(statement, status)) return { code, facts: [] };
    const times = [...childrenOf(element, 'effectiveTime'), ...childrenOf(around, 'effectiveTime')];
    const { day, second, endDay } = readTime(times, zone);
    return { code, facts: [{ kind: 'condition', part: 'value', code, value: null, day, second, endDay }] };
  },
};
