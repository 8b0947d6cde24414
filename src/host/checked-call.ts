// The role check of every call, whichever way it comes.
import { isCodedError } from '#base/coded-error.ts';
import { checkRole } from '#host/roles.ts';
import type { Actor, Site } from '#site/site.ts';

/** Refuses by role, and leaves an audit event of the refusal. @throws HostError SIGN_IN_NEEDED, ROLE_NOT_ALLOWED. */
export function checkedCall(site: Site, method: string, actor: Actor): void {
  try {
    checkRole(method, {
      role: actor.role,
      siteRoles: site.people.list().map(({ role }) => role),
    });
  } catch (error) {
    if (isCodedError(error)) site.session.recordRefusal(actor, { method, code: error.code });
    throw error;
  }
}
