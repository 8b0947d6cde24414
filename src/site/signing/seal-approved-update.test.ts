import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { type Approval, approvalRecord } from '#federation/records/approval.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { openSealedUpdate, verifyApprovals } from '#federation/records/sealed-update.ts';
import { decide } from '#site/approval/index.ts';
import { systemActor } from '#site/audit/index.ts';
import { type SealOptions, sealApprovedUpdate } from '#site/signing/index.ts';
import { addDraftUpdate, type DraftUpdate } from '#support/draft-update.ts';
import { ada, createEnrolledSite, type EnrolledSite, personKeys, siteId } from '#support/enrolled-site.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';

let site: EnrolledSite;
let draft: DraftUpdate;
beforeEach(() => {
  site = createEnrolledSite();
  draft = addDraftUpdate(site);
});
afterEach(() => site.close());

const unchanged = () => {
  const { consentSnapshotDigest, cohortDigest } = draft.update;
  return { consentSnapshotDigest, cohortDigest };
};
const seal = (changes: Partial<SealOptions> = {}): Promise<string> => {
  const { store, auditLog, agreement, people } = site;
  const signer = people.siteSigner();
  const { updateId } = draft;
  return refusalCodeOf(
    sealApprovedUpdate({
      ...{ store, auditLog, agreement, signer, updateId, actor: systemActor, reevaluateConsent: unchanged },
      ...changes,
    }),
  );
};
const approve = (decision: 'approve' | 'refuse' = 'approve'): void => {
  const { store, auditLog, agreement } = site;
  const { updateId, reportDigest } = draft;
  decide({
    store,
    auditLog,
    agreement,
    updateId,
    reportDigest,
    decision,
    reason: 'seen',
    person: ada,
    signer: personKeys.ada,
  });
};
const stateOf = (updateId = draft.updateId): string | undefined =>
  site.store.get(
    site.store.query.selectFrom('model_update').select('state').where('update_id', '=', updateId),
  )?.state;
const outbox = () => site.store.all(site.store.query.selectFrom('outbox').selectAll());
const expectBlocked = (code: string, state: string): void => {
  expect(stateOf()).toBe(state);
  expect(outbox()).toEqual([]);
  expect(site.events().at(-1)).toBe(`update-blocked refused ${code}`);
};

describe('sealing', () => {
  it('puts exactly the approved update into the outbox, readable by the consortium alone', async () => {
    approve();
    expect(await seal()).toBe('none');
    expect(stateOf()).toBe('sealed');
    expect(site.events().at(-1)).toBe('update-sealed success');
    const file = outbox()[0]?.sealed_file ?? new Uint8Array();
    const trust = site.agreement.trustedKeys();
    const atMs = site.clock.nowMs();
    const opened = await openSealedUpdate({
      file,
      receivingKey: site.consortium.keys.receiving,
      trust,
      atMs,
    });
    expect(opened.update.digest).toBe(draft.updateId);
    expect(sha256Hex(opened.payload)).toBe(sha256Hex(draft.payload));
    expect(opened.header).toMatchObject({ siteId, round: 1, bundleId: draft.updateId });
    const { approvals, update } = opened;
    expect(verifyApprovals({ approvals, update, trust, atMs, requiredStewards: 1 })).toHaveLength(1);
  });

  it('does nothing the second time', async () => {
    approve();
    await seal();
    const first = outbox();
    expect(await seal()).toBe('none');
    expect(outbox()).toEqual(first);
  });

  it('seals once when asked twice at the same moment', async () => {
    approve();
    expect(await Promise.all([seal(), seal()])).toEqual(['none', 'none']);
    expect(outbox()).toHaveLength(1);
    expect(site.events().filter((event) => event === 'update-sealed success')).toHaveLength(1);
  });

  it('refuses an update that nobody approved, or that was refused', async () => {
    expect(await seal()).toBe('NOT_APPROVED');
    expectBlocked('NOT_APPROVED', 'draft');
    approve('refuse');
    expect(await seal()).toBe('NOT_APPROVED');
    expectBlocked('NOT_APPROVED', 'refused');
  });

  const approval = (changes: Partial<Approval>, subject: string, signer = personKeys.ada): Uint8Array => {
    const predicate: Approval = {
      researchStudyId: 'sample-study',
      round: 1,
      siteId,
      reportDigest: draft.reportDigest,
      decision: 'approve',
      reason: null,
      person: ada,
      meaning: 'forged',
      decidedAt: '2026-11-21T08:00:00.000Z',
      ...changes,
    };
    const subjects = [{ name: 'update', digest: subject }];
    return signStatement(encodeStatement(approvalRecord, { subjects, predicate }), [signer]);
  };
  const forge = (envelope: Uint8Array | undefined): void => {
    const { store } = site;
    const row = {
      update_id: draft.updateId,
      decision: 'approve',
      person: ada.name,
      decided_at: '2026-11-21T08:00:00.000Z',
    } as const;
    if (envelope !== undefined) store.run(store.query.insertInto('approval').values({ ...row, envelope }));
    store.run(
      store.query
        .updateTable('model_update')
        .set({ state: 'approved' })
        .where('update_id', '=', draft.updateId),
    );
  };

  it.each<[string, () => Uint8Array | undefined]>([
    ['no approval under the state approved', () => undefined],
    [
      'an approval of another update',
      () => approval({}, addDraftUpdate(site, { exampleCount: 41 }).updateId),
    ],
    ['an approval by a person who is no steward', () => approval({}, draft.updateId, personKeys.ben)],
    [
      'an approval by the key of the site itself',
      () => approval({}, draft.updateId, site.people.siteSigner()),
    ],
    [
      'an approval by a key that nobody knows',
      () => approval({}, draft.updateId, createSigningKey(new Uint8Array(32).fill(3))),
    ],
    ['a signed refusal under the state approved', () => approval({ decision: 'refuse' }, draft.updateId)],
    ['an approval for another site', () => approval({ siteId: 'hungary' }, draft.updateId)],
    ['an approval in another round', () => approval({ round: 2 }, draft.updateId)],
    [
      'an approval in the name of another person',
      () => approval({ person: { name: 'Eve', role: 'steward' } }, draft.updateId),
    ],
    ['an approval of another report', () => approval({ reportDigest: 'a'.repeat(64) }, draft.updateId)],
    ['bytes that are no approval', () => new Uint8Array([1, 2, 3])],
    [
      'an approval with a flipped byte',
      () => {
        const bytes = approval({}, draft.updateId).slice();
        const at = Buffer.from(bytes).indexOf('"sig":"') + 20;
        bytes[at] = bytes[at] === 65 ? 66 : 65;
        return bytes;
      },
    ],
  ])('refuses %s', async (_case, make) => {
    forge(make());
    expect(await seal()).toBe('NOT_APPROVED');
    expectBlocked('NOT_APPROVED', 'approved');
  });

  it('refuses an approved row in which statement or payload were exchanged afterwards', async () => {
    approve();
    const { store } = site;
    const other = addDraftUpdate(site, { exampleCount: 41 });
    const change = (columns: { payload?: Uint8Array; envelope?: Uint8Array }): void => {
      store.run(store.query.updateTable('model_update').set(columns).where('update_id', '=', draft.updateId));
    };
    change({ envelope: other.envelope });
    expect(await seal()).toBe('NOT_APPROVED');
    change({ envelope: draft.envelope, payload: new Uint8Array([1]) });
    expect(await seal()).toBe('NOT_APPROVED');
    expectBlocked('NOT_APPROVED', 'approved');
  });

  it('refuses an update whose report was exchanged for that of another, with an approval of that report', async () => {
    const { store } = site;
    const other = addDraftUpdate(site, { exampleCount: 41 });
    const report = JSON.stringify({ updateDigest: other.updateId, payloadDigest: sha256Hex(other.payload) });
    const reportDigest = sha256Hex(utf8(report));
    forge(approval({ reportDigest }, draft.updateId));
    const changed = store.query.updateTable('model_update').set({ report, report_digest: reportDigest });
    store.run(changed.where('update_id', '=', draft.updateId));
    expect(await seal()).toBe('NOT_APPROVED');
    expectBlocked('NOT_APPROVED', 'approved');
  });

  it('refuses an update whose report was exchanged under the digest that was approved', async () => {
    approve();
    const { store } = site;
    const payloadDigest = sha256Hex(draft.payload);
    const report = JSON.stringify({ updateDigest: draft.updateId, payloadDigest, patientCount: 5 });
    store.run(
      store.query.updateTable('model_update').set({ report }).where('update_id', '=', draft.updateId),
    );
    expect(await seal()).toBe('NOT_APPROVED');
    expectBlocked('NOT_APPROVED', 'approved');
  });

  it.each(['consentSnapshotDigest', 'cohortDigest'])(
    'blocks the update for good when consent has changed: %s',
    async (field) => {
      approve();
      expect(await seal({ reevaluateConsent: () => ({ ...unchanged(), [field]: '9'.repeat(64) }) })).toBe(
        'CONSENT_CHANGED',
      );
      expectBlocked('CONSENT_CHANGED', 'blocked');
      expect(await seal()).toBe('NOT_APPROVED');
    },
  );

  it('notices a withdrawal that comes while the update is being encrypted', async () => {
    approve();
    let calls = 0;
    const reevaluateConsent = () => {
      calls += 1;
      return calls === 1 ? unchanged() : { ...unchanged(), consentSnapshotDigest: '9'.repeat(64) };
    };
    expect(await seal({ reevaluateConsent })).toBe('CONSENT_CHANGED');
    expectBlocked('CONSENT_CHANGED', 'blocked');
  });

  it('blocks an update whose round is over', async () => {
    approve();
    site.clock.advance(14 * 86_400_000);
    expect(await seal()).toBe('STALE_ROUND');
    expectBlocked('STALE_ROUND', 'blocked');
  });

  it('blocks an update of an earlier attempt', async () => {
    approve();
    const { planDigest, consortium, agreement } = site;
    const { baseModelDigest } = draft.update;
    agreement.acceptRound(
      consortium.round({ planDigest, baseModelDigest, attempt: 2 }).envelope,
      systemActor,
    );
    expect(await seal()).toBe('STALE_ROUND');
    expectBlocked('STALE_ROUND', 'blocked');
  });

  it('refuses an update that is not there', async () => {
    expect(await seal({ updateId: 'b'.repeat(64) })).toBe('UPDATE_NOT_FOUND');
  });
});
