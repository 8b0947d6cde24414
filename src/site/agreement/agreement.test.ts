import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64 } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { openAgreement } from '#site/agreement/index.ts';
import { systemActor } from '#site/audit/index.ts';
import {
  createEnrolledSite,
  type EnrolledSite,
  initialDigest,
  initialTensors,
  siteId,
} from '#support/enrolled-site.ts';
import { sampleModel } from '#support/model-samples.ts';
import { refusalCode } from '#support/refusal-code.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { createSignedConsortium, flipPayload, type SignedConsortium } from '#support/signed-consortium.ts';
import { createSiteFoundation } from '#support/site-foundation.ts';

const dayMs = 86_400_000;
const thief = createSigningKey(new Uint8Array(32).fill(9));

let site: EnrolledSite;
let consortium: SignedConsortium;
beforeEach(() => {
  site = createEnrolledSite({ withRound: false });
  consortium = site.consortium;
});
afterEach(() => site.close());

const addModel = (round: number, digest: string): void => {
  const row = {
    research_study_id: samplePlan.researchStudyId,
    remedy: 0,
    round,
    model_digest: digest,
    envelope: new Uint8Array(),
    tensors: initialTensors,
    verified_at: '2026-11-21T08:00:00.000Z',
  };
  site.store.run(site.store.query.insertInto('global_model').values(row));
};

describe('enrolment settings', () => {
  it('are kept and cannot be replaced by a second enrolment', () => {
    const settings = site.agreement.requireSettings();
    expect(settings).toMatchObject({ siteId, consortium: 'Test consortium' });
    const other = createSignedConsortium(site.clock, 'other');
    const moved = { ...settings, rootPublicKey: toBase64(other.keys.root.publicKey) };
    const code = refusalCode(() =>
      site.agreement.recordEnrolment(moved, other.trustList().envelope, systemActor),
    );
    expect(code).toBe('ALREADY_ENROLLED');
    expect(site.agreement.requireSettings()).toEqual(settings);
    expect(site.events().at(-1)).toBe('enrolment-refused refused ALREADY_ENROLLED');
  });

  it('are absent before, and everything that needs them says so', () => {
    const bare = createSiteFoundation('bare');
    const agreement = openAgreement(bare);
    expect(agreement.settings()).toBeUndefined();
    expect(agreement.listResearchStudies()).toEqual([]);
    expect(refusalCode(() => agreement.trustedKeys())).toBe('NOT_ENROLLED');
    expect(refusalCode(() => agreement.acceptTrustList(consortium.trustList().envelope, systemActor))).toBe(
      'NOT_ENROLLED',
    );
    bare.close();
  });
});

describe('trust list', () => {
  it('is taken over when it is newer, once', () => {
    const { envelope } = consortium.trustList({ version: 2 });
    expect(site.agreement.acceptTrustList(envelope, systemActor)).toBe(true);
    expect(site.agreement.acceptTrustList(envelope, systemActor)).toBe(false);
    expect(site.agreement.trustedKeys().version).toBe(2);
    expect(site.events().filter((event) => event === 'trust-list-accepted success')).toHaveLength(2);
  });

  it.each<[string, () => Uint8Array, string]>([
    ['an older one', () => consortium.trustList({ version: 1 }).envelope, 'ROLLBACK'],
    [
      'another one of the same version',
      () => consortium.trustList({ version: 2, consortium: 'Fork' }).envelope,
      'ROLLBACK',
    ],
    [
      'an expired one',
      () => consortium.trustList({ version: 3, expires: '2026-11-21T08:00:00.000Z' }).envelope,
      'EXPIRED',
    ],
    [
      'one signed by another root',
      () => consortium.trustList({ version: 3 }, thief).envelope,
      'KEY_NOT_TRUSTED',
    ],
    [
      'one signed by a listed key that is not the root',
      () => consortium.trustList({ version: 3 }, consortium.keys.plan).envelope,
      'KEY_NOT_TRUSTED',
    ],
    ['one with a changed byte', () => flipPayload(consortium.trustList().envelope), 'BAD_SIGNATURE'],
    ['a plan', () => consortium.plan({}, consortium.keys.root).envelope, 'WRONG_TYPE'],
    ['no envelope at all', () => new Uint8Array([1, 2, 3]), 'BAD_STATEMENT'],
  ])('refuses %s', (_case, make, code) => {
    site.agreement.acceptTrustList(consortium.trustList({ version: 2 }).envelope, systemActor);
    expect(refusalCode(() => site.agreement.acceptTrustList(make(), systemActor))).toBe(code);
    expect(site.agreement.trustedKeys().version).toBe(2);
    expect(site.events().at(-1)).toBe(`trust-list-refused refused ${code}`);
  });

  it('stops being used on the day it expires, while plans can still be read', () => {
    site.clock.advance(90 * dayMs);
    expect(refusalCode(() => site.agreement.trustedKeys())).toBe('EXPIRED');
    expect(refusalCode(() => site.agreement.openRound(samplePlan.researchStudyId))).toBe('EXPIRED');
    expect(site.agreement.currentPlan(samplePlan.researchStudyId).plan.version).toBe(1);
  });
});

describe('plan', () => {
  it('is found by its research study, with the digest of its statement', () => {
    expect(site.agreement.currentPlan(samplePlan.researchStudyId)).toEqual({
      plan: samplePlan,
      planDigest: site.planDigest,
    });
    expect(site.agreement.listResearchStudies()).toHaveLength(1);
    expect(refusalCode(() => site.agreement.currentPlan('unknown'))).toBe('PLAN_NOT_ACCEPTED');
  });

  it('is taken over once, of whatever version it is when the site joins', () => {
    site.close();
    site = createEnrolledSite({ withRound: false, plan: { version: 3 } });
    const again = site.consortium.plan({ version: 3 });
    expect(site.agreement.acceptPlan(again.envelope, systemActor)).toMatchObject({
      isNew: false,
      planDigest: again.digest,
    });
    expect(site.agreement.currentPlan(samplePlan.researchStudyId).plan.version).toBe(3);
  });

  const { limits, minimumCohort, dataElements } = samplePlan;
  it.each<[string, Partial<ResearchStudyPlan>, string]>([
    ['changes only its words', { summary: 'Clearer.' }, 'PLAN_CHANGED'],
    ['skips a number', { version: 7 }, 'PLAN_CHANGED'],
    ['allows larger updates', { limits: { ...limits, maxUpdateNorm: 1_000_000 } }, 'PLAN_CHANGED'],
    ['changes the smallest cohort', { minimumCohort: { ...minimumCohort, training: 11 } }, 'PLAN_CHANGED'],
    ['has another purpose', { purposes: ['CLINTRL'] }, 'PLAN_CHANGED'],
    [
      'reads other days',
      { dataElements: { ...dataElements, windowDays: { before: 36_500, after: 36_500 } } },
      'PLAN_INCOMPATIBLE',
    ],
    ['normalises otherwise', { normalisation: { scope: 'site' } }, 'PLAN_INCOMPATIBLE'],
  ])('stays in force when a later version %s: no person here agreed to that', (_case, changes, code) => {
    const later = consortium.plan({ version: 2, ...changes }).envelope;
    expect(refusalCode(() => site.agreement.acceptPlan(later, systemActor))).toBe(code);
    expect(site.agreement.currentPlan(samplePlan.researchStudyId)).toEqual({
      plan: samplePlan,
      planDigest: site.planDigest,
    });
    expect(site.events().at(-1)).toBe(`plan-refused refused ${code}`);
  });

  it('stays in force when a later version changes a round that is closed', () => {
    addModel(1, 'a'.repeat(64));
    addModel(2, 'b'.repeat(64));
    const later = (rounds: ResearchStudyPlan['rounds']) =>
      refusalCode(() =>
        site.agreement.acceptPlan(consortium.plan({ version: 2, rounds }).envelope, systemActor),
      );
    expect(later(['statistics', 'evaluation'])).toBe('PLAN_INCOMPATIBLE');
    expect(later(['statistics', 'training', 'training'])).toBe('PLAN_CHANGED');
  });

  const others = [{ siteId: 'hungary', name: 'Hungary' }];
  const [feature] = samplePlan.dataElements.features;
  const chol = { feature: 'chol', edges: [200] };
  it('may ask for statistics also where each site normalises by itself', () => {
    const researchStudyId = 'counted';
    const asked = { researchStudyId, normalisation: { scope: 'site' } } as const;
    site.agreement.acceptPlan(consortium.plan(asked).envelope, systemActor);
    expect(site.agreement.currentPlan(researchStudyId).plan).toMatchObject({
      ...asked,
      statistics: samplePlan.statistics,
    });
  });

  it.each<[string, Partial<ResearchStudyPlan>]>([
    ['federated normalisation', {}],
    ['a statistics round', { normalisation: { scope: 'site' } }],
  ])(
    'is refused with %s and without the smallest count, whatever the consortium publishes',
    (_case, changes) => {
      const plan = { ...changes, researchStudyId: 'sums', statistics: undefined };
      expect(() => site.agreement.acceptPlan(consortium.plan(plan).envelope, systemActor)).toThrow(
        expect.objectContaining({
          code: 'PLAN_NOT_SUPPORTED',
          details: expect.objectContaining({ field: 'statistics', found: null }),
        }),
      );
      expect(refusalCode(() => site.agreement.currentPlan('sums'))).toBe('PLAN_NOT_ACCEPTED');
    },
  );

  it.each<[string, () => Uint8Array, string]>([
    ['an older one', () => consortium.plan({ version: 1 }).envelope, 'ROLLBACK'],
    [
      'another one of the same version',
      () => consortium.plan({ version: 2, title: 'Fork' }).envelope,
      'ROLLBACK',
    ],
    [
      'one without this site',
      () => consortium.plan({ version: 3, participants: others }).envelope,
      'NOT_A_PARTICIPANT',
    ],
    [
      'one signed by the model key',
      () => consortium.plan({ version: 3 }, consortium.keys.model).envelope,
      'KEY_NOT_TRUSTED',
    ],
    ['one signed by nobody known', () => consortium.plan({ version: 3 }, thief).envelope, 'KEY_NOT_TRUSTED'],
    ['one with a changed byte', () => flipPayload(consortium.plan().envelope), 'BAD_SIGNATURE'],
    [
      'federated normalisation without statistics',
      () => consortium.plan({ version: 3, rounds: ['training'] }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
    [
      'statistics late',
      () => consortium.plan({ version: 3, rounds: ['training', 'statistics'] }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
    [
      'statistics without their round',
      () =>
        consortium.plan({
          version: 3,
          normalisation: { scope: 'site' },
          rounds: ['training'],
        }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
    [
      'one code cut in two ways',
      () =>
        consortium.plan({
          version: 3,
          statistics: { minimumCell: 5, maximumCells: 8, histograms: [chol], noise: null },
          dataElements: {
            ...samplePlan.dataElements,
            features: samplePlan.dataElements.features.map((one) => ({
              ...one,
              code: feature?.code ?? one.code,
            })),
          },
        }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
    [
      'a model of another width',
      () => consortium.plan({ version: 3, model: { ...samplePlan.model, inputCount: 3 } }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
    [
      'a model of images, which no cohort gives',
      () => consortium.plan({ version: 3, model: sampleModel('unet-2d') }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
    [
      'a model of survival times, which no cohort gives',
      () => consortium.plan({ version: 3, model: sampleModel('cox') }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
    [
      'one feature twice',
      () =>
        consortium.plan({
          version: 3,
          dataElements: {
            ...samplePlan.dataElements,
            features: feature === undefined ? [] : [feature, feature],
          },
        }).envelope,
      'PLAN_NOT_SUPPORTED',
    ],
  ])('refuses %s', (_case, make, code) => {
    site.close();
    site = createEnrolledSite({ withRound: false, plan: { version: 2 } });
    consortium = site.consortium;
    expect(refusalCode(() => site.agreement.acceptPlan(make(), systemActor))).toBe(code);
    expect(site.agreement.currentPlan(samplePlan.researchStudyId).plan.version).toBe(2);
    expect(site.events().at(-1)).toBe(`plan-refused refused ${code}`);
  });
});

describe('round', () => {
  const opening = (changes = {}) =>
    consortium.round({ planDigest: site.planDigest, baseModelDigest: initialDigest, ...changes });

  it('is open from its opening to its end', () => {
    expect(site.agreement.openRound(samplePlan.researchStudyId)).toBeUndefined();
    expect(site.agreement.acceptRound(opening().envelope, systemActor).isNew).toBe(true);
    expect(site.agreement.acceptRound(opening().envelope, systemActor).isNew).toBe(false);
    expect(site.agreement.openRound(samplePlan.researchStudyId)).toMatchObject({
      round: 1,
      attempt: 1,
      kind: 'statistics',
    });
    site.clock.advance(14 * dayMs);
    expect(site.agreement.openRound(samplePlan.researchStudyId)).toBeUndefined();
  });

  it('is closed by its model and by a newer attempt', () => {
    site.agreement.acceptRound(opening().envelope, systemActor);
    site.agreement.acceptRound(opening({ attempt: 2 }).envelope, systemActor);
    expect(site.agreement.openRound(samplePlan.researchStudyId)?.attempt).toBe(2);
    addModel(1, 'a'.repeat(64));
    expect(site.agreement.openRound(samplePlan.researchStudyId)).toBeUndefined();
    const second = opening({ round: 2, kind: 'training', baseModelDigest: 'a'.repeat(64) });
    site.agreement.acceptRound(second.envelope, systemActor);
    expect(site.agreement.openRound(samplePlan.researchStudyId)?.round).toBe(2);
  });

  it.each<[string, object, string]>([
    ['under another plan', { planDigest: 'd'.repeat(64) }, 'WRONG_PLAN'],
    [
      'of a kind that the plan has not there',
      { round: 2, kind: 'evaluation', attempt: 9 },
      'ROUND_NOT_IN_PLAN',
    ],
    ['after the last of the plan', { round: 4, kind: 'evaluation' }, 'ROUND_NOT_IN_PLAN'],
    ['that does not ask this site', { participants: ['hungary'], attempt: 9 }, 'NOT_A_PARTICIPANT'],
    [
      'that names an unknown receiving key',
      { recipientKeyId: 'e'.repeat(64), attempt: 9 },
      'WRONG_RECIPIENT',
    ],
    ['that is over', { closesAt: '2026-11-21T08:00:00.000Z', attempt: 9 }, 'EXPIRED'],
    ['on another base than the stored model', { baseModelDigest: 'f'.repeat(64), attempt: 9 }, 'WRONG_BASE'],
    ['of an earlier attempt', { attempt: 1 }, 'ROLLBACK'],
    ['that says something else of the same attempt', { attempt: 2, trustListVersion: 7 }, 'ROLLBACK'],
    ['of a research study without a plan', { researchStudyId: 'unknown' }, 'PLAN_NOT_ACCEPTED'],
  ])('refuses an opening %s', (_case, changes, code) => {
    addModel(0, initialDigest);
    site.agreement.acceptRound(opening({ attempt: 2 }).envelope, systemActor);
    expect(refusalCode(() => site.agreement.acceptRound(opening(changes).envelope, systemActor))).toBe(code);
    expect(site.agreement.openRound(samplePlan.researchStudyId)).toMatchObject({ round: 1, attempt: 2 });
    expect(site.events().at(-1)).toBe(`round-refused refused ${code}`);
  });

  it('refuses an opening that the model key did not sign, or with a changed byte', () => {
    const claims = { planDigest: site.planDigest, baseModelDigest: initialDigest };
    const byPlanKey = consortium.round(claims, consortium.keys.plan).envelope;
    expect(refusalCode(() => site.agreement.acceptRound(byPlanKey, systemActor))).toBe('KEY_NOT_TRUSTED');
    expect(refusalCode(() => site.agreement.acceptRound(flipPayload(opening().envelope), systemActor))).toBe(
      'BAD_SIGNATURE',
    );
  });

  it('refuses a stored opening once its receiving key was revoked', () => {
    site.agreement.acceptRound(opening().envelope, systemActor);
    const { keys } = JSON.parse(
      Buffer.from(
        JSON.parse(new TextDecoder().decode(consortium.trustList().envelope)).payload,
        'base64',
      ).toString(),
    ).predicate;
    const revoked = keys.map((key: { role: string }) =>
      key.role === 'receiving' ? { ...key, revokedAt: '2026-11-21T08:00:00.000Z' } : key,
    );
    site.agreement.acceptTrustList(consortium.trustList({ version: 2, keys: revoked }).envelope, systemActor);
    expect(refusalCode(() => site.agreement.openRound(samplePlan.researchStudyId))).toBe('WRONG_RECIPIENT');
  });
});
