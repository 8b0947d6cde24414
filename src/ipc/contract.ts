// The contract between a site and whoever looks at it: renderer (MessagePort or WebSocket) and command line. No logic.
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { mappingContract, quarantineContract, sourcesContract } from '#ipc/ingest-contract.ts';
import { optOutImport, optOutSummary } from '#ipc/opt-out-schema.ts';
import { qualityEvent } from '#ipc/quality-schema.ts';
import * as schema from '#ipc/schema.ts';
import {
  remedyOrder,
  requestedRemedy,
  subjectRounds,
  subjectRoundsQuery,
} from '#ipc/subject-rounds-schema.ts';

export const siteContract = {
  session: {
    /** Starts a session in a person's name. The secret is checked against the person's key and not kept. */
    signIn: oc.input(schema.signIn).output(schema.person),
    signOut: oc.output(z.void()),
    current: oc.output(schema.person.nullable()),
  },
  status: oc.output(schema.siteStatus),
  enrolment: {
    /** Joins the consortium that wrote the invitation: pins its certificate and root key, sends this site's
     * public keys. Every steward's own key signs that its owner asks to be trusted, hence their secrets. */
    accept: oc.input(schema.enrolment).output(schema.enrolled),
  },
  people: {
    list: oc.output(z.array(schema.person)),
    add: oc.input(schema.newPerson).output(schema.person),
  },
  ingest: {
    /** Files and folders that the site process can read itself (command line). */
    paths: oc.input(schema.ingestPaths).output(eventIterator(schema.ingestEvent)),
    /** A batch of files whose bytes the renderer sends. Answers in which order it wants them. */
    open: oc.input(schema.ingestOpen).output(schema.ingestOrder),
    push: oc.input(schema.ingestChunk).output(schema.ingestPushed),
    close: oc.input(z.strictObject({ batchId: z.string() })).output(schema.ingestSummary),
    outcomes: oc.input(schema.page).output(schema.ingestOutcomes),
  },
  mapping: mappingContract,
  quarantine: quarantineContract,
  sources: sourcesContract,
  records: oc.output(z.array(schema.recordCount)),
  consent: {
    list: oc.input(schema.consentQuery).output(schema.consentPage),
    grant: oc.input(schema.consentGrant).output(schema.consentRow),
    withdraw: oc.input(schema.consentWithdraw).output(schema.consentRow),
    rounds: oc.input(subjectRoundsQuery).output(subjectRounds),
    /** After a withdrawal. The consortium learns the rounds, never for whom. */
    requestRemedy: oc.input(remedyOrder).output(requestedRemedy),
    importOptOuts: oc.input(optOutImport).output(optOutSummary),
  },
  researchStudies: oc.output(z.array(schema.researchStudy)),
  cohort: {
    preview: oc.input(schema.researchStudyRef).output(schema.cohortPreview),
  },
  quality: {
    /** What is wrong with the data that the plan reads, with how far it is; ends with the report. Leaves an audit event and nothing else. */
    report: oc.input(schema.researchStudyRef).output(eventIterator(qualityEvent)),
  },
  round: {
    current: oc.input(schema.researchStudyRef).output(schema.roundState),
    run: oc.input(schema.researchStudyRef).output(eventIterator(schema.roundEvent)),
    cancel: oc.input(schema.researchStudyRef).output(z.void()),
  },
  updates: {
    list: oc.output(z.array(schema.updateSummary)),
    review: oc.input(schema.updateRef).output(schema.updateReview),
    /** Signs the approval in the signed-in steward's name; the secret is asked again for each signature (21 CFR 11.200). */
    approve: oc.input(schema.updateApprove).output(schema.updateSummary),
    refuse: oc.input(schema.updateRefuse).output(schema.updateSummary),
  },
  sync: oc.output(schema.syncResult),
  evaluations: oc.input(schema.researchStudyRef).output(z.array(schema.evaluation)),
  audit: {
    list: oc.input(schema.auditQuery).output(schema.auditPage),
    verify: oc.output(schema.auditVerification),
    export: oc.input(z.strictObject({ directory: z.string() })).output(schema.auditExport),
  },
};
export type SiteContract = typeof siteContract;
