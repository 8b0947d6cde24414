// Procedures (templates 22.4.12 to 22.4.14) and encounters (22.4.49) of C-CDA.
import type { FactKind } from '../clinical-record.ts';
import { childrenOf, descend, isNull, readConcept, readTime } from './ccda-element.ts';
import {
  isNoFact,
  isWithdrawn,
  plainStatements,
  type SectionFamily,
  type StatusRule,
} from './ccda-statement.ts';

const section = '2.16.840.1.113883.10.20.22.2';

function eventFamily(
  recognised: Pick<SectionFamily, 'name' | 'templates' | 'codes'>,
  { kind, names, status }: { kind: FactKind; names: ReadonlySet<string>; status: StatusRule },
): SectionFamily {
  return {
    ...recognised,
    statementsOf: plainStatements,
    read(statement, zone) {
      const { element } = statement;
      if (!names.has(element.name) || isNoFact(statement)) return null;
      const written = descend(element, 'code');
      if (isNull(written) && childrenOf(written, 'translation').length === 0) return null;
      const code = readConcept(written, 'code', kind);
      if (isWithdrawn(statement, status)) return { code, facts: [] };
      const { day, second, endDay } = readTime(childrenOf(element, 'effectiveTime'), zone);
      return { code, facts: [{ kind, part: 'value', code, value: null, day, second, endDay }] };
    },
  };
}

export const eventSections: readonly SectionFamily[] = [
  eventFamily(
    {
      name: 'procedure',
      templates: new Set([`${section}.7`, `${section}.7.1`]),
      codes: new Set(['47519-4']),
    },
    {
      kind: 'procedure',
      names: new Set(['procedure', 'observation', 'act']),
      status: { taken: ['completed'] },
    },
  ),
  eventFamily(
    {
      name: 'encounter',
      templates: new Set([`${section}.22`, `${section}.22.1`]),
      codes: new Set(['46240-8']),
    },
    {
      kind: 'encounter',
      names: new Set(['encounter']),
      status: { taken: ['active', 'completed'], isOptional: true },
    },
  ),
];
