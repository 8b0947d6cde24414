// The composition root: opens the stages of a site in the order of STAGES and gives the facade that hosts serve.
import { consortiumOf, openAgreement } from '#site/agreement/index.ts';
import { type Actor, openAuditForwarding, systemActor } from '#site/audit/index.ts';
import { openCohorts } from '#site/cohort/index.ts';
import { openConsents, termsOfPlan } from '#site/consent/index.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { listEvaluations } from '#site/evaluation/index.ts';
import { openIngest, openSources, sourceKinds } from '#site/ingest/index.ts';
import { openPeople } from '#site/people/index.ts';
import type { SitePorts } from '#site/ports.ts';
import { openObjectStore } from '#site/store/index.ts';
import { recoverTrainingRuns } from '#site/training/index.ts';
import { listUpdates, reviewUpdate, statedCheckpoints } from '#site/update/index.ts';
import { openAnalyses } from './analyses.ts';
import { accountDisclosures } from './disclosures.ts';
import { loadEngineSettings, saveEngineSettings } from './engine-settings.ts';
import { acceptInvitation, decideUpdate } from './site-decisions.ts';
import { openExchange } from './site-exchange.ts';
import type { Site } from './site-facade.ts';
import { loadIdentifierAuthorities } from './site-identifier-authorities.ts';
import { readStatus, summarisePlan } from './site-overview.ts';
import { initialiseProfile, type NewSite, type OpenProfile, openProfile } from './site-profile.ts';
import { openRounds } from './site-rounds.ts';
import type { SyncStages } from './site-sync.ts';
import { loadTimeZone } from './site-time-zone.ts';
import { rememberEngine } from './used-engine.ts';
import { openWithdrawals } from './withdrawal.ts';
import { listRemediableRounds, requestRemedy } from './withdrawal-remedy.ts';

export type {
  Actor,
  AuditPage,
  AuditQuery,
  AuditVerification,
  ForwardingStatus,
  Role,
} from '#site/audit/index.ts';
export { type ReadableFormat, readableFormats, systemActor, writeReadableCopy } from '#site/audit/index.ts';
export type { CohortPreview } from '#site/cohort/index.ts';
export type { ConsentPage, ConsentQuery, ConsentRow } from '#site/consent/index.ts';
export type { ProfileOption as DeidentifyProfileOption } from '#site/deidentify/index.ts';
export type { Evaluation } from '#site/evaluation/index.ts';
export type {
  IngestChunk,
  IngestEvent,
  IngestOrder,
  IngestPushed,
  IngestSummary,
} from '#site/ingest/index.ts';
export {
  type DeidentifyFileReport,
  type DeidentifySummary,
  deidentifyFolder,
  deriveDeidentifyKey,
  loadOrMakeDeidentifyKey,
} from '#site/ingest/index.ts';

export type { Credentials, Person } from '#site/people/index.ts';
export type * from '#site/ports.ts';
export type { BundleExport, BundleImport, SyncResult } from '#site/sync/index.ts';
export type { TrainingReply, TrainingRequest } from '#site/training/index.ts';
export {
  createTrainingHost,
  openForkedChannel,
  type ProcessExit,
  type TrainingChannel,
} from '#site/training/index.ts';
export type { DisclosureReport, UpdateReview, UpdateSummary } from '#site/update/index.ts';
export { disclosureAuditEvents } from './disclosure-audit-events.ts';
export { type Disclosure, type DisclosureAccount, type NameReason, nameReasons } from './disclosures.ts';
export type { RoundEvent } from './round.ts';
export { diagnoseSite, isProfileFree, type SiteDiagnosis } from './site-diagnosis.ts';
export { type SiteCode, SiteError } from './site-error.ts';
export type { Enrolment, SignedDecision, Site } from './site-facade.ts';
export type { ResearchStudySummary, SiteStatus } from './site-overview.ts';
export type { NewSite } from './site-profile.ts';
export type { RoundState } from './site-rounds.ts';

/**
 * Makes a new site in an existing, empty profile folder: keys, encrypted store, first audit entry.
 * @throws SiteError ALREADY_INITIALISED, PROFILE_IN_USE, PROFILE_WITHOUT_KEYS.
 */
export async function initialiseSite(ports: SitePorts, site: NewSite): Promise<void> {
  initialiseProfile(ports, site);
}

/**
 * Opens a site and holds its profile until `close`.
 * @throws SiteError NOT_INITIALISED, PROFILE_IN_USE, PROFILE_WITHOUT_KEYS; DatabaseError.
 */
export async function openSite(ports: SitePorts): Promise<Site> {
  const profile = openProfile(ports);
  try {
    return openStages(ports, profile);
  } catch (error) {
    profile.close();
    throw error;
  }
}

/** A withdrawal reaches whoever turns out to be the same person within this time (security.md C10). */
const erasureIntervalMs = 30_000;

function openStages(ports: SitePorts, { store, auditLog, keys, door, close }: OpenProfile): Site {
  const { keyStore, transport, logger } = ports;
  const event = (actor: Actor) => ({ actor: actor.name, role: actor.role }) as const;
  auditLog.begin();
  const people = openPeople({ store, auditLog, keyStore });
  const agreement = openAgreement({ store, auditLog });
  const days = openSubjectRegistry({ store, keys });
  const objects = openObjectStore({ store, profile: ports.paths.profile });
  const authorities = loadIdentifierAuthorities(store);
  const ingest = openIngest({
    store,
    objects,
    auditLog,
    keys,
    logger,
    zone: loadTimeZone(store),
    authorities,
  });
  const sources = openSources({
    store,
    auditLog,
    linkageKey: keys.linkageKey,
    profile: ports.paths.profile,
    clock: ports.clock,
    logger,
    kinds: sourceKinds,
    openArrivals: ingest.openArrivals,
    importPaths: (paths, actor, signal) => ingest.ingestPaths({ paths, actor, signal, mapping: null }),
  });
  const consents = openConsents({
    store,
    auditLog,
    days,
    termsOf: (researchStudyId) => {
      const studies = agreement.listResearchStudies();
      const plan = studies.find((study) => study.plan.researchStudyId === researchStudyId)?.plan;
      return plan === undefined ? undefined : termsOfPlan(plan);
    },
    consortiumName: () => consortiumOf(store),
    linkageKey: keys.linkageKey,
  });
  const { linkageKey } = keys;
  const withdrawals = openWithdrawals({ store, auditLog, consents, subjects: days, ingest, linkageKey });
  const cohorts = openCohorts({
    store,
    auditLog,
    consents,
    ages: days,
    pseudonymKey: people.researchStudyKey,
    door,
  });
  const finishErasures = () =>
    withdrawals.finish().catch(() => logger.error('an erasure could not be finished', {}));
  // Goes on with what a stop or a crash cut off, and looks at what records from any source have brought since.
  void finishErasures();
  const erasureTimer = setInterval(finishErasures, erasureIntervalMs).unref();
  recoverTrainingRuns({ store, auditLog });
  const forwarding = openAuditForwarding({ store, auditLog });
  forwarding.start();
  const { trainingHost, usedEngine } = rememberEngine(ports.trainingHost);
  const stages: SyncStages = { store, auditLog, people, agreement, cohorts, trainingHost, transport, logger };
  const pseudonymKey = people.researchStudyKey;
  const analyses = openAnalyses({ store, auditLog, keys, pseudonymKey, door });
  const rounds = openRounds(stages, logger);
  const exchange = openExchange(stages);
  return {
    profile: ports.paths.profile,
    clock: ports.clock,
    logger,
    session: {
      signIn: people.signIn,
      signOut: (actor) =>
        store.transaction(() =>
          auditLog.append({ ...event(actor), action: 'signed-out', outcome: 'success' }),
        ),
      recordRefusal: (actor, { method, code: reason }) =>
        store.transaction(() =>
          auditLog.append({
            ...event(actor),
            action: 'action-refused',
            object: method,
            outcome: 'refused',
            reason,
          }),
        ),
    },
    status: () => readStatus(store, agreement, usedEngine()),
    enrolment: { accept: (enrolment) => acceptInvitation(stages, enrolment) },
    people: { list: people.list, add: people.add },
    ingest,
    mapping: { suggest: ingest.suggestMapping, preview: ingest.previewMapping },
    quarantine: ingest.quarantine,
    sources,
    records: ingest.recordCounts,
    consent: {
      list: consents.list,
      grant: withdrawals.grant,
      importOptOuts: ({ authority, ...list }, actor) =>
        consents.importOptOuts({ ...list, authority: authorities.get(authority) ?? authority }, actor),
      withdraw: (subject, actor) => {
        analyses.outdate();
        return withdrawals.withdraw(subject, actor);
      },
      rounds: (subjectId, actor) =>
        store.transaction(() => {
          auditLog.append({
            ...event(actor),
            action: 'subject-rounds-shown',
            object: `subject:${subjectId}`,
            outcome: 'success',
          });
          return listRemediableRounds(stages, subjectId);
        }),
      requestRemedy: (order, actor) => requestRemedy(stages, order, actor),
    },
    researchStudies: () =>
      agreement.settings() === undefined ? [] : agreement.listResearchStudies().map(summarisePlan),
    cohort: {
      preview: (researchStudyId, asking) =>
        analyses.preview(agreement.currentPlan(researchStudyId).plan, asking),
    },
    quality: {
      report: (researchStudyId, asking) =>
        analyses.quality(agreement.currentPlan(researchStudyId).plan, asking),
    },
    round: rounds,
    engineSettings: {
      load: () => loadEngineSettings(store),
      save: (settings) => saveEngineSettings(store, settings),
    },
    updates: {
      list: () => listUpdates(store),
      review: (updateId, actor) => reviewUpdate({ store, auditLog }, updateId, actor),
      approve: (decision) => decideUpdate(stages, { ...decision, decision: 'approve', reason: null }),
      refuse: (decision) => decideUpdate(stages, { ...decision, decision: 'refuse' }),
    },
    sync: exchange.sync,
    bundle: { export: exchange.writeBundle, import: exchange.readBundle },
    evaluations: (researchStudyId) => listEvaluations(store, researchStudyId),
    audit: {
      list: auditLog.list,
      verify: (actor) => auditLog.verify({ actor, witnessed: statedCheckpoints(store), withRecords: true }),
      export: auditLog.exportTo,
      origin: auditLog.origin,
      disclosures: (order, actor) => accountDisclosures({ ...stages, linkageKey }, order, actor),
      forwarding,
    },
    close: async () => {
      // First of all: what still arrives is in the inbox or is the sender's.
      await sources.close();
      // The runs are cancelled first, and end when their engine does.
      const ended = rounds.close();
      await trainingHost.close();
      await analyses.close();
      await ingest.close();
      await ended;
      clearInterval(erasureTimer);
      await forwarding.close();
      await finishErasures();
      store.transaction(() =>
        auditLog.append({ ...event(systemActor), action: 'app-stopped', outcome: 'success' }),
      );
      auditLog.checkpoint();
      close();
    },
  };
}
