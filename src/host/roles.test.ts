import { describe, expect, it } from 'vitest';
import { isCodedError } from '#base/coded-error.ts';
import { checkRole, ruledMethods } from '#host/roles.ts';
import { siteContract } from '#ipc/contract.ts';

/** The methods of the contract as `a.b` names. */
function methodNames(contract: object, prefix = ''): string[] {
  return Object.entries(contract).flatMap(([name, value]) =>
    '~orpc' in value ? [`${prefix}${name}`] : methodNames(value as object, `${prefix}${name}.`),
  );
}

const outcome = (
  method: string,
  role: 'steward' | 'investigator' | 'auditor' | 'admin' | null,
  hasAdmin = true,
) => {
  try {
    checkRole(method, { role, hasAdmin });
    return 'allowed';
  } catch (error) {
    return isCodedError(error) ? error.code : 'BUG';
  }
};

describe('the role table', () => {
  it('rules every method of the contract and no other', () => {
    expect([...ruledMethods].sort()).toEqual(methodNames(siteContract).sort());
  });

  it.each([
    ['updates.approve', 'steward', 'allowed'],
    ['updates.approve', 'investigator', 'ROLE_NOT_ALLOWED'],
    ['updates.approve', 'admin', 'ROLE_NOT_ALLOWED'],
    ['updates.approve', null, 'SIGN_IN_NEEDED'],
    ['consent.list', 'admin', 'ROLE_NOT_ALLOWED'],
    ['consent.list', 'auditor', 'ROLE_NOT_ALLOWED'],
    ['round.run', 'investigator', 'allowed'],
    ['round.run', 'auditor', 'ROLE_NOT_ALLOWED'],
    ['audit.list', 'investigator', 'ROLE_NOT_ALLOWED'],
    ['people.add', 'steward', 'ROLE_NOT_ALLOWED'],
    ['sync', null, 'allowed'],
    ['no.such.method', 'admin', 'ROLE_NOT_ALLOWED'],
  ] as const)('answers %s by %s with %s', (method, role, expected) => {
    expect(outcome(method, role)).toBe(expected);
  });

  it('lets people be added without a person only until there is an admin', () => {
    expect(outcome('people.add', null, false)).toBe('allowed');
    expect(outcome('people.add', null, true)).toBe('SIGN_IN_NEEDED');
    expect(outcome('people.add', 'admin', true)).toBe('allowed');
  });
});
