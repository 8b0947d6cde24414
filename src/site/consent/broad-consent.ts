// The policies of the German Medical Informatics Initiative's broad consent in `provision.code` (docs/formats/consent-rules.md): what each of
// them means for the use of data, and which data were collected under it. A code that is not here is not understood.
import type { ConsentProvision, ProvisionRule, RuleDays } from '#site/store/index.ts';
import type { ProvisionRequest } from './match-rule.ts';

const policySystem = 'urn:oid:2.16.840.1.113883.3.1937.777.24.5.3';
const policyRoot = '2.16.840.1.113883.3.1937.777.24.5.3';

/**
 * `use`: medical data for science, while its period lasts. `collection`: data of its period. `retrospective`: data from before. `processing`:
 * what use needs besides, or is a part of. `other`: samples, insurers' data, identity, contact.
 */
export type PolicyMeaning = 'use' | 'collection' | 'retrospective' | 'processing' | 'other';

const numbers: readonly [PolicyMeaning, readonly number[]][] = [
  ['use', [8]],
  ['collection', [6]],
  ['retrospective', [44, 45, 46]],
  // The module around them, storing and processing, and joining with others' data: nothing here does the last, but one may think it does.
  ['processing', [1, 7, 9]],
  ['other', [2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]],
  ['other', [31, 37, 38, 39, 50, 51, 52, 53, 54, 55]],
];
const meanings = new Map<string, PolicyMeaning>(
  numbers.flatMap(([meaning, all]) =>
    all.map((number) => [`${policySystem}|${policyRoot}.${number}`, meaning] as const),
  ),
);

export function policyMeaningOf(code: string): PolicyMeaning | undefined {
  return meanings.get(code);
}

export function isPolicyCode(code: string): boolean {
  return code.startsWith(`${policySystem}|`);
}

/** Whether any rule of the tree has one. */
export function hasPolicies({ codes, children }: ProvisionRule): boolean {
  return codes.some(isPolicyCode) || children.some(hasPolicies);
}

/** A permit of the consent with one of the policies, and the days on which it and all rules around it certainly hold. */
export interface PermittedPolicy {
  readonly meaning: PolicyMeaning;
  readonly from: number;
  readonly until: number;
}

/** @param isFor whether a rule is certainly about what is asked, whatever the time */
export function permittedPolicies(
  { root }: ConsentProvision,
  isFor: (rule: ProvisionRule) => boolean,
): PermittedPolicy[] {
  const visit = (rule: ProvisionRule, around: { from: number; until: number }): PermittedPolicy[] => {
    if (!isFor(rule)) return [];
    const days = within(rule, around);
    const known = rule.codes.map(policyMeaningOf);
    const isPermit =
      rule !== root && rule.type === 'permit' && known.every((meaning) => meaning !== undefined);
    const own = isPermit
      ? known.flatMap((meaning) => (meaning === undefined ? [] : [{ meaning, ...days }]))
      : [];
    return [...own, ...rule.children.flatMap((child) => visit(child, days))];
  };
  return visit(root, { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY });
}

function within({ fromDay, untilDay }: RuleDays, { from, until }: { from: number; until: number }) {
  return {
    from: Math.max(from, fromDay ?? Number.NEGATIVE_INFINITY),
    until: Math.min(until, untilDay ?? Number.POSITIVE_INFINITY),
  };
}

/** Whether data of the day were collected while the patient permitted that. */
export function isCollected(policies: readonly PermittedPolicy[], dataDay: number): boolean {
  return policies.some(
    ({ meaning, from, until }) => meaning === 'collection' && from <= dataDay && dataDay <= until,
  );
}

/** Whether they may be used besides: of before a collection that the permit for earlier data goes with. */
export function isEarlierPermitted(
  policies: readonly PermittedPolicy[],
  { day, dataDay }: Pick<ProvisionRequest, 'day' | 'dataDay'>,
): boolean {
  const collections = policies.filter(({ meaning }) => meaning === 'collection');
  return policies.some(
    ({ meaning, from, until }) =>
      meaning === 'retrospective' &&
      from <= day &&
      day <= until &&
      collections.some((other) => dataDay < other.from && other.from <= until && from <= other.until),
  );
}
