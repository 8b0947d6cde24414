// Medications and immunizations of C-CDA: Medication Activity (template 22.4.16) and Immunization Activity (22.4.52), alone or in
// the acts of an admission or a discharge.
import { childrenOf, descend, isNull, readConcept, readTime } from './ccda-element.ts';
import {
  isNoFact,
  isWithdrawn,
  relatedStatements,
  type SectionFamily,
  type StatusRule,
} from './ccda-statement.ts';
import type { XmlElement } from './xml-document.ts';

const section = '2.16.840.1.113883.10.20.22.2';

/** A prescription is an intent; an immunization that is one was not given. */
function productFamily(
  recognised: Pick<SectionFamily, 'name' | 'templates' | 'codes'>,
  { moods, status }: { readonly moods: readonly string[]; readonly status: StatusRule },
): SectionFamily {
  return {
    ...recognised,
    statementsOf: (entry) => relatedStatements(entry, 'substanceAdministration'),
    read(statement, zone) {
      const { element, around } = statement;
      if (element.name !== 'substanceAdministration') return null;
      if (isNoFact({ ...statement, around: undefined }, moods)) return null;
      const product = productCodeOf(element);
      if (isNull(product) && childrenOf(product, 'translation').length === 0) return null;
      const code = readConcept(product, 'consumable.code', 'medication');
      if (isWithdrawn(statement, status)) return { code, facts: [] };
      const times = [...childrenOf(element, 'effectiveTime'), ...childrenOf(around, 'effectiveTime')];
      const { day, second, endDay } = readTime(times, zone);
      return { code, facts: [{ kind: 'medication', part: 'value', code, value: null, day, second, endDay }] };
    },
  };
}

function productCodeOf(element: XmlElement): XmlElement | undefined {
  return descend(element, 'consumable', 'manufacturedProduct', 'manufacturedMaterial', 'code');
}

export const productSections: readonly SectionFamily[] = [
  productFamily(
    {
      name: 'medication',
      templates: new Set(['1', '1.1', '38', '11', '11.1', '44'].map((number) => `${section}.${number}`)),
      codes: new Set(['10160-0', '29549-3', '10183-2', '42346-7']),
    },
    {
      moods: ['EVN', 'INT', 'RQO'],
      status: { taken: ['active', 'completed', 'suspended', 'aborted'] },
    },
  ),
  productFamily(
    {
      name: 'immunization',
      templates: new Set([`${section}.2`, `${section}.2.1`]),
      codes: new Set(['11369-6']),
    },
    { moods: ['EVN'], status: { taken: ['completed'] } },
  ),
];
