// Who may call what: one table, after security.md section 0. The one place a caller's role is checked.

import { HostError } from '#host/host-error.ts';
import type { Role } from '#ipc/schema.ts';

/**
 * `anyone`: without a person's name (a scheduled `sync`, the sign-in itself, an enrolment that every steward's secret signs).
 * `keeper`: whoever looks after the people: an admin, where there is none a steward, and anyone while there is neither.
 */
type Rule = 'anyone' | 'keeper' | readonly Role[];

const everyRole: readonly Role[] = ['steward', 'investigator', 'auditor', 'admin'];

const rules: Readonly<Record<string, Rule>> = {
  'session.signIn': 'anyone',
  'session.signOut': 'anyone',
  'session.current': 'anyone',
  status: 'anyone',
  'enrolment.accept': 'anyone',
  'people.list': 'keeper',
  'people.add': 'keeper',
  'ingest.paths': ['steward', 'investigator'],
  'ingest.open': ['steward', 'investigator'],
  'ingest.push': ['steward', 'investigator'],
  'ingest.close': ['steward', 'investigator'],
  'ingest.outcomes': ['steward', 'investigator'],
  'mapping.suggest': ['steward', 'investigator'],
  'mapping.preview': ['steward', 'investigator'],
  'quarantine.list': ['steward'],
  'quarantine.release': ['steward'],
  'quarantine.delete': ['steward'],
  'sources.list': ['steward', 'admin'],
  'sources.save': 'keeper',
  'sources.remove': 'keeper',
  'sources.run': ['steward'],
  // Exact counts: next to a preview that withholds small ones they would give these away. Stewards see single patients anyway.
  records: ['steward'],
  'consent.list': ['steward'],
  'consent.grant': ['steward'],
  'consent.withdraw': ['steward'],
  'consent.rounds': ['steward'],
  'consent.requestRemedy': ['steward'],
  'consent.importOptOuts': ['steward'],
  researchStudies: 'anyone',
  'cohort.preview': ['steward', 'investigator'],
  'quality.report': ['steward', 'investigator'],
  'round.current': 'anyone',
  'round.run': ['steward', 'investigator'],
  'round.cancel': ['steward', 'investigator'],
  'updates.list': 'anyone',
  'updates.review': ['steward', 'auditor'],
  'updates.approve': ['steward'],
  'updates.refuse': ['steward'],
  sync: 'anyone',
  // Both read or write a folder that the caller names, under the site's account.
  'bundle.export': ['steward'],
  'bundle.import': ['steward'],
  evaluations: everyRole,
  'audit.list': ['steward', 'auditor', 'admin'],
  'audit.verify': 'anyone',
  'audit.export': ['steward', 'auditor', 'admin'],
  'audit.disclosures': ['steward', 'auditor', 'admin'],
  'audit.forwarding': ['admin', 'auditor', 'steward'],
  'audit.forward': 'keeper',
};

/** What the command line alone asks of a site that it has opened itself; in no contract. */
export const commandMethods: readonly string[] = ['audit.disclosures', 'audit.forwarding', 'audit.forward'];

/** Every method of the contract that the table knows. */
export const ruledMethods: readonly string[] = Object.keys(rules);

export interface Caller {
  readonly role: Role | null;
  /** Roles of everybody at this site. */
  readonly siteRoles: readonly Role[];
}

/**
 * Lets a caller through or refuses.
 * @throws HostError SIGN_IN_NEEDED, ROLE_NOT_ALLOWED (stops a clerk acting as, or making, a steward).
 */
export function checkRole(method: string, { role, siteRoles }: Caller): void {
  const rule = rules[method] ?? [];
  const allowed = rule === 'keeper' ? keepers(siteRoles) : rule;
  if (allowed === 'anyone') return;
  if (role === null) {
    throw new HostError('SIGN_IN_NEEDED', 'This needs a person; sign in first.', { details: { method } });
  }
  if (!allowed.includes(role)) {
    throw new HostError('ROLE_NOT_ALLOWED', 'Your role does not allow this.', {
      details: { method, role, allowed },
    });
  }
}

function keepers(siteRoles: readonly Role[]): 'anyone' | readonly Role[] {
  if (siteRoles.includes('admin')) return ['admin'];
  return siteRoles.includes('steward') ? ['steward'] : 'anyone';
}
