import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { approvalRecord } from '#federation/records/approval.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { type DecisionOptions, decide, meanings } from '#site/approval/index.ts';
import { systemActor } from '#site/audit/index.ts';
import { addDraftUpdate, type DraftUpdate, updateState } from '#support/draft-update.ts';
import {
  ada,
  ben,
  createEnrolledSite,
  type EnrolledSite,
  personKeys,
  siteId,
} from '#support/enrolled-site.ts';
import { refusalCode } from '#support/refusal-code.ts';

let site: EnrolledSite;
let draft: DraftUpdate;
beforeEach(() => {
  site = createEnrolledSite();
  draft = addDraftUpdate(site);
});
afterEach(() => site.close());

const attempt = (changes: Partial<DecisionOptions> = {}): string => {
  const { store, auditLog, agreement } = site;
  const { updateId, reportDigest } = draft;
  const byAda = { person: ada, signer: personKeys.ada, decision: 'approve', reason: null } as const;
  const options = { store, auditLog, agreement, updateId, reportDigest, ...byAda, ...changes };
  return refusalCode(() => decide(options));
};
const stateOf = (updateId: string) => updateState(site.store, updateId);
const approvals = () => site.store.all(site.store.query.selectFrom('approval').selectAll());

const reportText = (updateDigest: string, payload: Uint8Array): string =>
  JSON.stringify({ updateDigest, payloadDigest: sha256Hex(payload) });

describe('a decision', () => {
  it('is signed by the steward, over the update statement and the report, and logged under a checkpoint', () => {
    expect(attempt()).toBe('none');
    expect(stateOf(draft.updateId)).toBe('approved');
    const [row] = approvals();
    const record = verifyRecord(approvalRecord, row?.envelope ?? new Uint8Array(), {
      trust: site.agreement.trustedKeys(),
      atMs: site.clock.nowMs(),
      siteId,
    });
    expect(record.subjectDigest).toBe(draft.updateId);
    expect(record.signers.map(({ person }) => person)).toEqual([ada.name]);
    expect(record.predicate).toEqual({
      researchStudyId: 'sample-study',
      round: 1,
      siteId,
      reportDigest: draft.reportDigest,
      decision: 'approve',
      reason: null,
      person: ada,
      meaning: meanings.approve,
      decidedAt: '2026-11-21T08:00:00.000Z',
    });
    expect(site.events().at(-1)).toBe('update-approved success');
    const leafCount = site.events().length;
    expect(
      site.store.get(site.store.query.selectFrom('audit_checkpoint').select('size').orderBy('size', 'desc'))
        ?.size,
    ).toBe(leafCount);
  });

  it('can be to refuse, with a reason', () => {
    expect(attempt({ decision: 'refuse', reason: ' ' })).toBe('REASON_MISSING');
    expect(attempt({ decision: 'refuse', reason: 'too few patients' })).toBe('none');
    expect(stateOf(draft.updateId)).toBe('refused');
    expect(approvals()).toMatchObject([{ decision: 'refuse', person: ada.name }]);
    expect(site.events().at(-1)).toBe('update-refused success');
  });

  it.each(['approve', 'refuse'] as const)('stands: a second one after %s is refused', (first) => {
    attempt({ decision: first, reason: 'first' });
    for (const decision of ['approve', 'refuse'] as const) {
      expect(attempt({ decision, reason: 'second' })).toBe('ALREADY_DECIDED');
      expect(site.events().at(-1)).toBe('action-refused refused ALREADY_DECIDED');
    }
    expect(approvals()).toHaveLength(1);
    expect(stateOf(draft.updateId)).toBe(first === 'approve' ? 'approved' : 'refused');
  });

  it.each<[string, Partial<DecisionOptions>, string]>([
    ['another report than the stored one', { reportDigest: 'a'.repeat(64) }, 'REPORT_CHANGED'],
    ['a person who is no steward', { person: ben, signer: personKeys.ben }, 'NOT_A_STEWARD'],
    [
      'a clerk who claims to be a steward',
      { person: { ...ben, role: 'steward' }, signer: personKeys.ben },
      'NOT_A_STEWARD',
    ],
    ['a steward nobody added', { person: { name: 'Eve', role: 'steward' } }, 'NOT_A_STEWARD'],
    ["a steward with another person's key", { signer: personKeys.ben }, 'STEWARD_KEY_NOT_TRUSTED'],
    [
      'a key that nobody knows',
      { signer: createSigningKey(new Uint8Array(32).fill(3)) },
      'STEWARD_KEY_NOT_TRUSTED',
    ],
  ])('is refused for %s', (_case, changes, code) => {
    expect(attempt(changes)).toBe(code);
    expect(stateOf(draft.updateId)).toBe('draft');
    expect(approvals()).toEqual([]);
    expect(site.events().at(-1)).toBe(`action-refused refused ${code}`);
  });

  it('is refused for an update that is not there', () => {
    expect(attempt({ updateId: 'b'.repeat(64) })).toBe('UPDATE_NOT_FOUND');
  });

  it('is refused for a steward whose key the consortium does not list, or has revoked', () => {
    const { store, consortium, agreement } = site;
    store.run(store.query.updateTable('person').set({ role: 'steward' }).where('name', '=', ben.name));
    expect(attempt({ person: { name: ben.name, role: 'steward' }, signer: personKeys.ben })).toBe(
      'STEWARD_KEY_NOT_TRUSTED',
    );
    const listed = agreement.trustedKeys();
    const keys = [
      'root',
      'plan',
      'model',
      'receiving',
      'consortium-log',
      'site-signing',
      'site-log',
      'steward',
    ] as const;
    const revoked = keys
      .flatMap((role) => listed.withRole(role))
      .map((key) => (key.role === 'steward' ? { ...key, revokedAt: '2026-11-21T07:59:59.999Z' } : key));
    agreement.acceptTrustList(consortium.trustList({ version: 2, keys: revoked }).envelope, systemActor);
    expect(attempt()).toBe('STEWARD_KEY_NOT_TRUSTED');
  });

  it('is refused when the stored report, payload or statement is not the one that was built', () => {
    const { store } = site;
    const other = addDraftUpdate(site, { exampleCount: 41 });
    const change = (columns: { report?: string; payload?: Uint8Array; envelope?: Uint8Array }): void => {
      store.run(store.query.updateTable('model_update').set(columns).where('update_id', '=', draft.updateId));
    };
    change({ envelope: other.envelope });
    expect(attempt()).toBe('SUBSTITUTED');
    change({ envelope: draft.envelope, payload: new Uint8Array([1]) });
    expect(attempt()).toBe('SUBSTITUTED');
    change({ payload: draft.payload, report: '{}' });
    expect(attempt()).toBe('REPORT_CHANGED');
    expect(approvals()).toEqual([]);
  });

  it.each<[string, (other: DraftUpdate) => string]>([
    ['of another update', ({ updateId, payload }) => reportText(updateId, payload)],
    ['of this update with another payload', () => reportText(draft.updateId, new Uint8Array([1]))],
    ['that names nothing', () => '{}'],
    ['that is no JSON', () => 'report'],
  ])('is refused on a report %s, though row, screen and digest agree on it', (_case, make) => {
    const { store } = site;
    const report = make(addDraftUpdate(site, { exampleCount: 41 }));
    const reportDigest = sha256Hex(utf8(report));
    const changed = store.query.updateTable('model_update').set({ report, report_digest: reportDigest });
    store.run(changed.where('update_id', '=', draft.updateId));
    expect(attempt({ reportDigest })).toBe('SUBSTITUTED');
    expect(approvals()).toEqual([]);
    expect(site.events().at(-1)).toBe('action-refused refused SUBSTITUTED');
  });
});
