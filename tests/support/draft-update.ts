// Puts a draft update into a site's store, as the update stage leaves it.

import { utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { type ModelUpdate, modelUpdateRecord } from '#federation/records/model-update.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { Store } from '#site/store/index.ts';
import { type EnrolledSite, initialDigest, siteId } from './enrolled-site.ts';
import { samplePlan } from './sample-plan.ts';
import { sampleStatisticsTensors } from './sample-statistics.ts';

export interface DraftUpdate {
  readonly updateId: string;
  readonly reportDigest: string;
  readonly envelope: Uint8Array;
  readonly payload: Uint8Array;
  readonly update: ModelUpdate;
}

/** With sums withheld, so that a model of the round is the same with this update and without. */
const statistics = sampleStatisticsTensors(40, { isWithheld: true });

/** A statistics update of round 1; `changes` to its statement make it another. */
export function addDraftUpdate(site: EnrolledSite, changes: Partial<ModelUpdate> = {}): DraftUpdate {
  const { store, clock, people, auditLog } = site;
  const payload = encodeSafetensors(statistics);
  const now = isoTime(clock.nowMs());
  const { size, rootHash } = auditLog.checkpoint();
  const update: ModelUpdate = {
    researchStudyId: samplePlan.researchStudyId,
    recipientKeyId: site.consortium.keys.receiving.keyId,
    planDigest: site.planDigest,
    round: 1,
    attempt: 1,
    siteId,
    baseModelDigest: initialDigest,
    tensorManifestDigest: tensorManifestDigest(statistics),
    updateKind: 'statistics',
    exampleCount: 40,
    patientCount: 40,
    cohortDigest: '1'.repeat(64),
    consentSnapshotDigest: '2'.repeat(64),
    consentEvaluatedAt: now,
    optOutListDigest: null,
    deidProfile: 'test',
    privacy: null,
    metrics: { before: null, after: null, calibration: null },
    secagg: null,
    seedCommitment: null,
    software: { name: 'consilium', version: '0.0.0', buildDigest: null, sbomDigest: null },
    trainedFrom: now,
    trainedAt: now,
    auditCheckpoint: { size, rootHash },
    prevUpdateDigest: null,
    nonce: sha256Hex(utf8(JSON.stringify(changes))),
    expires: isoTime(clock.nowMs() + 30 * 86_400_000),
    ...changes,
  };
  const subjects = [{ name: 'payload', digest: sha256Hex(payload) }];
  const statement = encodeStatement(modelUpdateRecord, { subjects, predicate: update });
  const envelope = signStatement(statement, [people.siteSigner()]);
  const updateId = sha256Hex(statement);
  const report = JSON.stringify({ updateDigest: updateId, payloadDigest: sha256Hex(payload) });
  const reportDigest = sha256Hex(utf8(report));
  store.transaction(() => {
    const runId = addRun(site, updateId, update);
    const { researchStudyId, round, attempt } = update;
    store.run(
      store.query.insertInto('model_update').values({
        update_id: updateId,
        research_study_id: researchStudyId,
        round,
        attempt,
        run_id: runId,
        envelope,
        payload,
        report,
        report_digest: reportDigest,
        state: 'draft',
        built_at: now,
      }),
    );
  });
  return { updateId, reportDigest, envelope, payload, update };
}

function addRun({ store, clock }: EnrolledSite, id: string, update: ModelUpdate): string {
  const now = isoTime(clock.nowMs());
  const place = { research_study_id: update.researchStudyId, round: update.round };
  store.run(
    store.query.insertInto('cohort').values({
      ...place,
      cohort_id: id,
      cohort_digest: update.cohortDigest,
      consent_snapshot_digest: update.consentSnapshotDigest,
      selection: '{}',
      frozen_at: now,
    }),
  );
  store.run(
    store.query.insertInto('training_run').values({
      ...place,
      run_id: id,
      attempt: update.attempt,
      cohort_id: id,
      seed: null,
      engine: null,
      state: 'done',
      result: '{}',
      tensors: null,
      started_at: now,
      finished_at: now,
    }),
  );
  return id;
}

/** Where an update stands in the site's store, undefined where it is not there. */
export function updateState(store: Store, updateId: string): string | undefined {
  const query = store.query.selectFrom('model_update').select('state');
  return store.get(query.where('update_id', '=', updateId))?.state;
}
