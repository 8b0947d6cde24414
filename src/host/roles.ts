// Who may call what: one table, after security.md section 0. The one place a caller's role is checked.

import { HostError } from '#host/host-error.ts';
import type { Role } from '#ipc/schema.ts';

/** `anyone`: without a person's name (a scheduled `sync`, the sign-in itself). `bootstrap`: anyone while there is no admin. */
type Rule = 'anyone' | 'bootstrap' | readonly Role[];

const everyRole: readonly Role[] = ['steward', 'investigator', 'auditor', 'admin'];

const rules: Readonly<Record<string, Rule>> = {
  'session.signIn': 'anyone',
  'session.signOut': 'anyone',
  'session.current': 'anyone',
  status: 'anyone',
  'enrolment.accept': 'bootstrap',
  'people.list': 'bootstrap',
  'people.add': 'bootstrap',
  'ingest.paths': ['steward', 'investigator'],
  'ingest.open': ['steward', 'investigator'],
  'ingest.push': ['steward', 'investigator'],
  'ingest.close': ['steward', 'investigator'],
  'ingest.outcomes': ['steward', 'investigator'],
  records: ['steward', 'investigator', 'auditor'],
  'consent.list': ['steward'],
  'consent.grant': ['steward'],
  'consent.withdraw': ['steward'],
  researchStudies: 'anyone',
  'cohort.preview': ['steward', 'investigator'],
  'round.current': 'anyone',
  'round.run': ['steward', 'investigator'],
  'round.cancel': ['steward', 'investigator'],
  'updates.list': 'anyone',
  'updates.review': ['steward', 'auditor'],
  'updates.approve': ['steward'],
  'updates.refuse': ['steward'],
  sync: 'anyone',
  evaluations: everyRole,
  'audit.list': ['steward', 'auditor', 'admin'],
  'audit.verify': 'anyone',
  'audit.export': ['steward', 'auditor', 'admin'],
};

/** Every method of the contract that the table knows. */
export const ruledMethods: readonly string[] = Object.keys(rules);

/**
 * Lets a caller through or refuses.
 * @throws HostError SIGN_IN_NEEDED, ROLE_NOT_ALLOWED (stops a clerk acting as a steward).
 */
export function checkRole(
  method: string,
  caller: { readonly role: Role | null; readonly hasAdmin: boolean },
): void {
  const rule = rules[method];
  if (rule === 'anyone') return;
  if (rule === 'bootstrap' && !caller.hasAdmin) return;
  if (caller.role === null)
    throw new HostError('SIGN_IN_NEEDED', 'This needs a person; sign in first.', { details: { method } });
  const roles: readonly Role[] = rule === 'bootstrap' ? ['admin'] : (rule ?? []);
  if (!roles.includes(caller.role)) {
    throw new HostError('ROLE_NOT_ALLOWED', 'Your role does not allow this.', {
      details: { method, role: caller.role, allowed: roles },
    });
  }
}
