// Procedures (templates 22.4.12 to 22.4.14) and encounters (22.4.49) of C-CDA.
import type { CodedValue, FactKind, FactValue } from '../clinical-record.ts';
import { childrenOf, descend, isNull, readCodings, readConcept, readTime } from './ccda-element.ts';
import {
  isNoFact,
  isWithdrawn,
  plainStatements,
  type SectionFamily,
  type StatusRule,
} from './ccda-statement.ts';
import { encounterClassSystem, preferCoding } from './code-system.ts';
import { readCode } from './field-value.ts';

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
      const codings = readCodings(written, 'code');
      const code = readConcept(written, 'code', kind);
      if (isWithdrawn(statement, status)) return { code, facts: [] };
      const { day, second, endDay } = readTime(childrenOf(element, 'effectiveTime'), zone);
      const value = kind === 'encounter' ? typeOf(code, codings) : null;
      return { code, facts: [{ kind, part: 'value', code, value, day, second, endDay }] };
    },
  };
}

/** Of an encounter the class is its code where it is stated; what more is known of it is its type. */
function typeOf(code: CodedValue, codings: readonly CodedValue[]): FactValue | null {
  if (code.system !== encounterClassSystem) return null;
  const more = preferCoding(
    codings.filter(({ system }) => system !== encounterClassSystem),
    'encounter',
  );
  return more === undefined ? null : { coded: { ...more, code: readCode(more.code, 'code') } };
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
