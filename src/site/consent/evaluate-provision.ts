// What the rule tree of one consent says about a request (security.md C2, C3): a rule is an exception to its parent, the deepest one
// that matches wins, and at equal depth a deny. A permit needs every rule around it to match as well. Pure.
import { type ConsentProvision, isFullPermit, type ProvisionRule } from '#site/store/index.ts';
import { hasPolicies, permittedPolicies } from './broad-consent.ts';
import { isLastinglyFor, matchRule, type ProvisionRequest, type RuleRequest } from './match-rule.ts';

export interface ProvisionDecision {
  readonly decision: 'permit' | 'deny';
  /** Whether the patient said so; a deny for want of a permit is not stated and overrules no other consent. */
  readonly isStated: boolean;
  /** Indexes of the rule that decided, from the root; [] for the root itself. */
  readonly path: readonly number[];
}

export function evaluateProvision(provision: ConsentProvision, asked: ProvisionRequest): ProvisionDecision {
  const { root } = provision;
  const request: RuleRequest = { ...asked, policies: policiesOf(provision, asked) };
  const { isCertain, isPossible } = matchRule(root, request);
  if (!isPossible) return notStated;
  let best = baseOf(provision, isCertain);
  const visit = (rules: readonly ProvisionRule[], around: { isCertain: boolean; path: number[] }): void => {
    for (const [index, rule] of rules.entries()) {
      const match = matchRule(rule, request);
      if (!match.isPossible) continue;
      const path = [...around.path, index];
      const isSure = around.isCertain && match.isCertain;
      const found: ProvisionDecision = { decision: rule.type ?? 'deny', isStated: true, path };
      if ((found.decision === 'deny' || isSure) && wins(found, best)) best = found;
      visit(rule.children, { isCertain: isSure, path });
    }
  };
  visit(root.children, { isCertain, path: [] });
  return best;
}

function policiesOf(provision: ConsentProvision, asked: ProvisionRequest): RuleRequest['policies'] {
  // Most consents are none of these.
  if (!hasPolicies(provision.root)) return [];
  return permittedPolicies(provision, (rule) => isLastinglyFor(rule, asked));
}

const notStated: ProvisionDecision = { decision: 'deny', isStated: false, path: [] };

/** The base decision: a `deny` in the root is obeyed, a `permit` counts only with period, purpose and actor (C2). */
function baseOf(provision: ConsentProvision, isCertain: boolean): ProvisionDecision {
  const { base, root } = provision;
  if (root.type === 'deny') return { decision: 'deny', isStated: true, path: [] };
  if (base === 'permit' || isFullPermit(root)) {
    return isCertain ? { decision: 'permit', isStated: true, path: [] } : notStated;
  }
  // Without any permit a consent can mean nothing but a refusal.
  return { decision: 'deny', isStated: !hasPermit(root.children), path: [] };
}

/** Whether a rule of the tree denies. */
export function hasDeny({ root }: ConsentProvision): boolean {
  const denies = (rule: ProvisionRule): boolean => rule.type === 'deny' || rule.children.some(denies);
  return denies(root);
}

function hasPermit(rules: readonly ProvisionRule[]): boolean {
  return rules.some(({ type, children }) => type === 'permit' || hasPermit(children));
}

function wins(found: ProvisionDecision, best: ProvisionDecision): boolean {
  if (found.path.length !== best.path.length) return found.path.length > best.path.length;
  return found.decision === 'deny' && best.decision === 'permit';
}
