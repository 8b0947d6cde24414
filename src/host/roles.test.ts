import { describe, expect, it } from 'vitest';
import { isCodedError } from '#base/coded-error.ts';
import { hostContract } from '#host/bundle-contract.ts';
import { checkRole, commandMethods, ruledMethods } from '#host/roles.ts';
import type { Role } from '#ipc/schema.ts';

/** The methods of the contract as `a.b` names. */
function methodNames(contract: object, prefix = ''): string[] {
  return Object.entries(contract).flatMap(([name, value]) =>
    '~orpc' in value ? [`${prefix}${name}`] : methodNames(value as object, `${prefix}${name}.`),
  );
}

const outcome = (
  method: string,
  role: 'steward' | 'investigator' | 'auditor' | 'admin' | null,
  siteRoles: readonly Role[] = ['steward', 'admin'],
) => {
  try {
    checkRole(method, { role, siteRoles });
    return 'allowed';
  } catch (error) {
    return isCodedError(error) ? error.code : 'BUG';
  }
};

describe('the role table', () => {
  it('rules every method of the contract, those of the command line, and no other', () => {
    expect([...ruledMethods].sort()).toEqual([...methodNames(hostContract), ...commandMethods].sort());
  });

  it.each([
    ['updates.approve', 'steward', 'allowed'],
    ['updates.approve', 'investigator', 'ROLE_NOT_ALLOWED'],
    ['updates.approve', 'admin', 'ROLE_NOT_ALLOWED'],
    ['updates.approve', null, 'SIGN_IN_NEEDED'],
    ['consent.list', 'admin', 'ROLE_NOT_ALLOWED'],
    ['consent.list', 'auditor', 'ROLE_NOT_ALLOWED'],
    ['records', 'steward', 'allowed'],
    ['records', 'investigator', 'ROLE_NOT_ALLOWED'],
    ['records', 'auditor', 'ROLE_NOT_ALLOWED'],
    ['round.run', 'investigator', 'allowed'],
    ['round.run', 'auditor', 'ROLE_NOT_ALLOWED'],
    ['audit.list', 'investigator', 'ROLE_NOT_ALLOWED'],
    ['people.add', 'steward', 'ROLE_NOT_ALLOWED'],
    ['audit.disclosures', 'investigator', 'ROLE_NOT_ALLOWED'],
    ['audit.disclosures', 'auditor', 'allowed'],
    ['audit.disclosures', null, 'SIGN_IN_NEEDED'],
    ['audit.forward', 'admin', 'allowed'],
    ['audit.forward', 'steward', 'ROLE_NOT_ALLOWED'],
    ['audit.forwarding', 'investigator', 'ROLE_NOT_ALLOWED'],
    ['sync', null, 'allowed'],
    ['bundle.export', 'steward', 'allowed'],
    ['bundle.export', 'admin', 'ROLE_NOT_ALLOWED'],
    ['bundle.import', null, 'SIGN_IN_NEEDED'],
    ['no.such.method', 'admin', 'ROLE_NOT_ALLOWED'],
  ] as const)('answers %s by %s with %s', (method, role, expected) => {
    expect(outcome(method, role)).toBe(expected);
  });

  it.each([
    ['nobody', [], null, 'allowed'],
    ['a steward', ['steward'], null, 'SIGN_IN_NEEDED'],
    ['a steward', ['steward'], 'steward', 'allowed'],
    ['a steward and an investigator', ['steward', 'investigator'], 'investigator', 'ROLE_NOT_ALLOWED'],
    ['a steward and an admin', ['steward', 'admin'], 'steward', 'ROLE_NOT_ALLOWED'],
    ['a steward and an admin', ['steward', 'admin'], 'admin', 'allowed'],
    ['an investigator alone', ['investigator'], null, 'allowed'],
  ] as const)(
    'with %s at the site answers people.add of %s by %s with %s',
    (_who, siteRoles, role, expected) => {
      expect(outcome('people.add', role, siteRoles)).toBe(expected);
    },
  );
});
