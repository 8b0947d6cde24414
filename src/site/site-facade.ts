// What a host may ask of an open site: one method for each of the site contract. Roles are checked by the host; methods that
// act for somebody take the actor, and those that sign take name and secret (21 CFR 11.200).

import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type {
  Actor,
  AuditExport,
  AuditForwarding,
  AuditPage,
  AuditQuery,
  AuditVerification,
} from '#site/audit/index.ts';
import type { CohortPreview } from '#site/cohort/index.ts';
import type {
  ConsentPage,
  ConsentQuery,
  ConsentRow,
  ConsentSubject,
  OptOutOrder,
  OptOutSummary,
} from '#site/consent/index.ts';
import type { Evaluation } from '#site/evaluation/index.ts';
import type { Ingest, Sources } from '#site/ingest/index.ts';
import type { Credentials, Person } from '#site/people/index.ts';
import type { EngineSettings } from '#site/ports.ts';
import type { BundleExport, BundleImport, SyncResult } from '#site/sync/index.ts';
import type { UpdateReview, UpdateSummary } from '#site/update/index.ts';
import type { Asking, QualityEvent } from './analyses.ts';
import type { DisclosureAccount, DisclosureOrder } from './disclosures.ts';
import type { BundleOrder } from './site-bundle.ts';
import type { ResearchStudySummary, SiteStatus } from './site-overview.ts';
import type { SiteRounds } from './site-rounds.ts';
import type { RemediableRound, RemedyOrder, RequestedRemedySummary } from './withdrawal-remedy.ts';

export interface Enrolment {
  readonly invitation: string;
  /** Every steward of this site: each one's own key signs that its owner asks to be trusted. */
  readonly stewards: readonly Credentials[];
  readonly actor: Actor;
}

export interface SignedDecision {
  readonly updateId: string;
  /** Digest of the report that was on the screen. */
  readonly reportDigest: string;
  /** The person who decides, with the secret for this one signature. */
  readonly name: string;
  readonly secret: string;
}

export interface Site {
  /** The profile folder. */
  readonly profile: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly session: {
    /** Checks name and secret. @throws PeopleError SIGN_IN_REFUSED, SIGN_IN_LOCKED, PERSON_KEY_MISSING. */
    signIn(credentials: Credentials): Person;
    /** Leaves the audit event; the session itself is the host's. */
    signOut(actor: Actor): void;
    /** Leaves the audit event of a call that the host refused. */
    recordRefusal(actor: Actor, refusal: { readonly method: string; readonly code: string }): void;
  };
  status(): SiteStatus;
  readonly enrolment: {
    /** @throws EnrolmentError, AgreementError, SyncError, PeopleError. */
    accept(enrolment: Enrolment): Promise<{ readonly siteId: string; readonly consortium: string }>;
  };
  readonly people: {
    list(): Person[];
    /** @throws PeopleError PERSON_EXISTS, BAD_PERSON_NAME, SECRET_TOO_SHORT. */
    add(person: Person, secret: string, actor: Actor): Person;
  };
  readonly ingest: Pick<Ingest, 'ingestPaths' | 'openBatch' | 'push' | 'closeBatch' | 'listOutcomes'>;
  /** For the caller's eyes only: samples of cells are patient data and stand in no log. */
  readonly mapping: {
    suggest: Ingest['suggestMapping'];
    preview: Ingest['previewMapping'];
  };
  /** `listen` is the host's to call, where it serves the site for longer than one call. */
  readonly quarantine: Ingest['quarantine'];
  readonly sources: Pick<Sources, 'list' | 'save' | 'remove' | 'run' | 'listen'>;
  records(): ReturnType<Ingest['recordCounts']>;
  readonly consent: {
    list(query: ConsentQuery, actor: Actor): ConsentPage;
    grant(subject: ConsentSubject & { readonly untilDate: string | null }, actor: Actor): ConsentRow;
    /** Resolves when nothing of what it erases is left. */
    withdraw(subject: ConsentSubject, actor: Actor): Promise<ConsentRow>;
    /** In which rounds the subject was, and what of them left. */
    rounds(subjectId: string, actor: Actor): RemediableRound[];
    /** Asks the consortium for the plan's remedy, without saying for whom. */
    requestRemedy(order: RemedyOrder, actor: Actor): RequestedRemedySummary;
    importOptOuts(list: OptOutOrder, actor: Actor): Promise<OptOutSummary>;
  };
  /** The accepted plans; none before enrolment. */
  researchStudies(): ResearchStudySummary[];
  readonly cohort: {
    preview(researchStudyId: string, asking: Asking): Promise<CohortPreview>;
  };
  readonly quality: {
    report(researchStudyId: string, asking: Asking): AsyncGenerator<QualityEvent, void, undefined>;
  };
  readonly round: Pick<SiteRounds, 'current' | 'run' | 'cancel' | 'pause' | 'resume'>;
  readonly engineSettings: {
    load(): EngineSettings;
    /** @throws SiteError BAD_ENGINE_SETTINGS. */
    save(settings: EngineSettings): void;
  };
  readonly updates: {
    list(): UpdateSummary[];
    review(updateId: string, actor: Actor): UpdateReview;
    approve(decision: SignedDecision): UpdateSummary;
    refuse(decision: SignedDecision & { readonly reason: string }): UpdateSummary;
  };
  /** Seals what was approved, exchanges with the consortium, evaluates a new global model here. */
  sync(actor: Actor): Promise<SyncResult>;
  /** The same without a network: on a medium that somebody carries. */
  readonly bundle: {
    export(order: BundleOrder, actor: Actor): Promise<BundleExport>;
    import(directory: string, actor: Actor): Promise<BundleImport>;
  };
  evaluations(researchStudyId: string): Evaluation[];
  readonly audit: {
    list(query: AuditQuery, actor: Actor): AuditPage;
    verify(actor: Actor): AuditVerification;
    export(directory: string, actor: Actor): AuditExport;
    /** As in its checkpoints. */
    readonly origin: string;
    /** What of one patient left. @throws SiteError SUBJECT_UNKNOWN. */
    disclosures(order: DisclosureOrder, actor: Actor): DisclosureAccount;
    readonly forwarding: Pick<AuditForwarding, 'status' | 'set' | 'forward'>;
  };
  /** Cancels what runs, closes engine and store, and lets go of the profile. */
  close(): Promise<void>;
}
