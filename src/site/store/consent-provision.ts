// The rule tree of a consent as the column `provision` holds it, in JSON: what the source says, with codes as they are and days as
// everything of the subject has them.

/** Days of a rule; null is open. */
export interface RuleDays {
  /** When the rule holds. */
  readonly fromDay: number | null;
  readonly untilDay: number | null;
  /** Of when the data are that it is about. */
  readonly dataFromDay: number | null;
  readonly dataUntilDay: number | null;
}

/** Filters of a rule: all given ones must match. An empty list is no filter; codes are `system|code`. Its days are those that certainly lie within. */
export interface ProvisionRule extends RuleDays {
  /** Null only in the root, where the source states none. */
  readonly type: 'permit' | 'deny' | null;
  /** All days that may lie within, where a date of the source is no whole day; absent: the days that certainly do. */
  readonly widest?: RuleDays;
  readonly purposes: readonly string[];
  readonly actors: readonly ProvisionActor[];
  readonly classes: readonly string[];
  readonly codes: readonly string[];
  readonly securityLabels: readonly string[];
  readonly actions: readonly string[];
  /** The source says more than what is here. */
  readonly notUnderstood: boolean;
  /** Exceptions to this rule, in the order of the source. */
  readonly children: readonly ProvisionRule[];
}

export interface ProvisionActor {
  /** `system|code`; null where none is stated. */
  readonly role: string | null;
  /** `system|value` of its identifier; null where it is named otherwise. */
  readonly reference: string | null;
}

export interface ConsentProvision {
  /** What the consent's policy says where no rule does (FHIR Consent.policyRule). */
  readonly base: 'permit' | 'deny';
  readonly root: ProvisionRule;
}

/** The tree with every day moved, as the subject's other days are. */
export function moveProvision({ base, root }: ConsentProvision, days: number): ConsentProvision {
  return { base, root: moveRule(root, days) };
}

function moveRule(rule: ProvisionRule, days: number): ProvisionRule {
  return {
    ...rule,
    ...moveDays(rule, days),
    ...(rule.widest === undefined ? {} : { widest: moveDays(rule.widest, days) }),
    children: rule.children.map((child) => moveRule(child, days)),
  };
}

function moveDays({ fromDay, untilDay, dataFromDay, dataUntilDay }: RuleDays, days: number): RuleDays {
  const move = (day: number | null): number | null => (day === null ? null : day + days);
  return {
    fromDay: move(fromDay),
    untilDay: move(untilDay),
    dataFromDay: move(dataFromDay),
    dataUntilDay: move(dataUntilDay),
  };
}

/** Whether a `permit` in the root counts: with period, purpose and actor (security.md C2). */
export function isFullPermit({ type, fromDay, untilDay, purposes, actors }: ProvisionRule): boolean {
  const hasPeriod = fromDay !== null || untilDay !== null;
  return type === 'permit' && hasPeriod && purposes.length > 0 && actors.length > 0;
}
