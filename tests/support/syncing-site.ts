// An enrolled site and its in-memory consortium, ready to sync: initial model published, round 1 open.

import { releasedNormalisation } from '#federation/aggregation/released-normalisation.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { Tensor } from '#federation/tensors/tensor.ts';
import { decide } from '#site/approval/index.ts';
import { systemActor } from '#site/audit/index.ts';
import { sealApprovedUpdate } from '#site/signing/index.ts';
import type { Store } from '#site/store/index.ts';
import { type SyncOptions, type SyncResult, syncOnce } from '#site/sync/index.ts';
import {
  type ConsortiumTransport,
  createConsortiumTransport,
  type HeldModel,
} from './consortium-transport.ts';
import { addDraftUpdate, type DraftUpdate } from './draft-update.ts';
import {
  ada,
  createEnrolledSite,
  type EnrolledSite,
  initialDigest,
  initialTensors,
  personKeys,
  siteId,
} from './enrolled-site.ts';
import { samplePlan } from './sample-plan.ts';
import { sampleStatistics } from './sample-statistics.ts';

export interface SyncingSite extends EnrolledSite {
  readonly transport: ConsortiumTransport;
  /** What consent gives now for an update's cohort: that it is unchanged, until a test says otherwise. */
  consent: SyncOptions['reevaluateConsent'];
  sync(): Promise<SyncResult>;
  /** A draft of round 1, approved and sealed. */
  sealUpdate(): Promise<DraftUpdate>;
}

/** `file` as in `createSiteFoundation`, `plan` as in `createEnrolledSite`. */
export function createSyncingSite(file = ':memory:', plan: Partial<ResearchStudyPlan> = {}): SyncingSite {
  const site = createEnrolledSite({ file, withRound: false, plan });
  const { consortium, planDigest, clock } = site;
  const transport = createConsortiumTransport(consortium, clock, {
    trustList: consortium.trustList().envelope,
    plan: consortium.plan(plan).envelope,
    openRound: consortium.round({ planDigest, baseModelDigest: initialDigest }).envelope,
    models: [],
    logSize: undefined,
  });
  const syncing: SyncingSite = {
    ...site,
    transport,
    consent: unchangedConsent(site.store),
    sync: () =>
      syncOnce({
        ...site,
        transport,
        actor: systemActor,
        reevaluateConsent: (updateId) => syncing.consent(updateId),
      }),
    sealUpdate: () => sealUpdate(site),
  };
  publish(syncing, initialTensors);
  return syncing;
}

/** What a site of a model of round 1 released: this one withheld its sums (as in `addDraftUpdate`). */
function releasedBy({ siteId: id, exampleCount }: GlobalModel['included'][number]): SiteStatistics {
  return { siteId: id, ...sampleStatistics(exampleCount, { isWithheld: id === siteId }) };
}

const hungary = { siteId: 'hungary', updateDigest: 'b'.repeat(64), exampleCount: 60, weight: 0.6 };

/** Tensors of round 1: the initial weights and the normalisation, which is Hungary's. */
export const statisticsTensors = encodeSafetensors(
  new Map<string, Tensor>([
    ...releasedNormalisation([releasedBy(hungary)], 2),
    ['weights/bias', { shape: [1], data: new Float32Array([0]) }],
    ['weights/kernel', { shape: [2, 1], data: new Float32Array([0, 0]) }],
  ]),
);

/** Claims of a true model of round 1 with this site's and another's update. */
export function statisticsModel(updateDigest: string): Partial<GlobalModel> {
  return {
    round: 1,
    attempt: 1,
    kind: 'statistics',
    baseModelDigest: initialDigest,
    included: [{ siteId, updateDigest, exampleCount: 40, weight: 0.4 }, hungary],
  };
}

/** Signs, logs and serves a model; true claims unless told otherwise, with the statistics of those whose updates a statistics round includes. */
export function publish(
  site: SyncingSite,
  tensors: Uint8Array,
  claims: Partial<GlobalModel> = {},
): HeldModel {
  const { consortium, planDigest, transport } = site;
  const { envelope, digest: statementDigest } = consortium.model(tensors, {
    planDigest,
    ...(claims.kind === 'statistics' ? { statistics: claims.included?.map(releasedBy) } : {}),
    ...claims,
  });
  const { researchStudyId } = samplePlan;
  const seq = consortium.publish({
    researchStudyId,
    round: claims.round ?? 0,
    modelDigest: sha256Hex(tensors),
    statementDigest,
  });
  const model = { envelope, tensors, seq };
  transport.state.models.push(model);
  return model;
}

async function sealUpdate(site: EnrolledSite): Promise<DraftUpdate> {
  const { store, auditLog, agreement, people } = site;
  const draft = addDraftUpdate(site);
  const { updateId, reportDigest } = draft;
  decide({
    store,
    auditLog,
    agreement,
    updateId,
    reportDigest,
    decision: 'approve',
    reason: null,
    person: ada,
    signer: personKeys.ada,
  });
  const reevaluateConsent = () => unchangedConsent(store)(updateId);
  const signer = people.siteSigner();
  await sealApprovedUpdate({
    store,
    auditLog,
    agreement,
    updateId,
    signer,
    actor: systemActor,
    reevaluateConsent,
  });
  return draft;
}

/** The digests of the frozen cohort that an update was made from, as if nothing had changed since. */
export function unchangedConsent(store: Store): SyncOptions['reevaluateConsent'] {
  return (updateId) => {
    const row = store.get(
      store.query
        .selectFrom('model_update')
        .innerJoin('training_run', 'training_run.run_id', 'model_update.run_id')
        .innerJoin('cohort', 'cohort.cohort_id', 'training_run.cohort_id')
        .select(['cohort.cohort_digest', 'cohort.consent_snapshot_digest'])
        .where('model_update.update_id', '=', updateId),
    );
    return {
      cohortDigest: row?.cohort_digest ?? '',
      consentSnapshotDigest: row?.consent_snapshot_digest ?? '',
    };
  };
}

/** The global models that a site took over, in order of their rounds. */
export function heldModels(store: Store): { round: number; model_digest: string }[] {
  return store.all(store.query.selectFrom('global_model').select(['round', 'model_digest']).orderBy('round'));
}
