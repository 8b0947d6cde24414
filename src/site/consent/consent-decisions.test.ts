// Decisions in columns say what they were given, however many share a rule.
import { describe, expect, it } from 'vitest';
import { ConsentDecisions } from './consent-decisions.ts';
import type { ConsentDecision } from './evaluate-consent.ts';
import { allData, noData, permittedData } from './permitted-data.ts';

const permit: ConsentDecision = {
  decision: 'permit',
  rule: 'permit',
  consentId: 'c1',
  version: 2,
  path: ['root'],
  data: allData,
};
const days = permittedData([{ from: 3, until: 9 }], []);
const decisions: readonly ConsentDecision[] = [
  permit,
  { ...permit, consentId: 'c2', version: 1 },
  { ...permit, data: days },
  { ...permit, data: permittedData([{ from: 3, until: 8 }], []) },
  { ...permit, path: ['root', 'c3/0.1'] },
  { ...permit, path: ['0.1'], rule: 'denied', decision: 'deny', data: noData },
  { ...permit, path: ['opt-out'], rule: 'opted-out', decision: 'deny', consentId: null, version: null },
];

describe('decisions on consent', () => {
  it('are given back as they were', () => {
    const found = new ConsentDecisions(decisions.length);
    for (const [at, decision] of decisions.entries()) found.set(at + 1, decision);
    expect(decisions.map((_, at) => found.get(at + 1))).toEqual(decisions);
    expect(decisions.map((_, at) => found.isPermitted(at + 1))).toEqual(
      decisions.map(({ decision }) => decision === 'permit'),
    );
    expect(found.permittedData(3)).toBe(days);
    expect(found.permittedData(6)).toBeUndefined();
  });

  it('are none of a subject without one, and the last of a subject with two', () => {
    const found = new ConsentDecisions(2);
    found.set(1, permit);
    found.set(1, { ...permit, decision: 'deny', rule: 'withdrawn', data: noData });
    expect([found.get(1)?.rule, found.isPermitted(1)]).toEqual(['withdrawn', false]);
    expect([found.get(2), found.has(2), found.isPermitted(2), found.get(9)]).toEqual([
      undefined,
      false,
      false,
      undefined,
    ]);
  });
});
