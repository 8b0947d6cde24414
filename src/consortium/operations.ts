// What the operator can do, the same in this process or through the admin listener of the one that holds the profile.
import { z } from 'zod';
import type { LogVerification } from '#federation/log/verify-log.ts';
import { digestHex, identifier, plainText } from '#federation/records/fields.ts';
import type { RecomputedModels } from './aggregate/index.ts';
import type { ExportedBundle, ImportedBundle } from './bundle/index.ts';
import type { MadeInvitation } from './enrolment/index.ts';
import type { PlanPublication, PublishedStatistics } from './publish/index.ts';
import type { CarriedOut, ClosedRound, DismissedRemedy, OpenedRound } from './rounds/index.ts';
import type { ConsortiumStatus } from './status.ts';

export interface AuditVerification {
  readonly verified: boolean;
  readonly log: LogVerification;
  /** Every published model, made again from the sealed updates. */
  readonly models: RecomputedModels['models'];
}

/** Input of each operation. */
export const operationInputs = {
  status: z.strictObject({}),
  invite: z.strictObject({ siteId: z.string().max(100), name: z.string().max(300) }),
  publishPlan: z.strictObject({ plan: z.unknown() }),
  openRound: z.strictObject({ researchStudyId: identifier, days: z.number().optional() }),
  closeRound: z.strictObject({ researchStudyId: identifier }),
  carryOutRemedy: z.strictObject({ researchStudyId: identifier }),
  dismissRemedy: z.strictObject({
    researchStudyId: identifier,
    requestDigest: digestHex,
    reason: plainText(500),
  }),
  statistics: z.strictObject({ researchStudyId: identifier }),
  exportBundle: z.strictObject({
    siteId: identifier,
    researchStudyId: identifier,
    directory: z.string().min(1).max(4096),
  }),
  importBundle: z.strictObject({ directory: z.string().min(1).max(4096) }),
  verifyAudit: z.strictObject({}),
} as const;
export type OperationName = keyof typeof operationInputs;
export type OperationInput<Name extends OperationName> = z.infer<(typeof operationInputs)[Name]>;

/** Every method may throw the refusals of its stage. */
export interface ConsortiumOperations {
  status(input: OperationInput<'status'>): Promise<ConsortiumStatus>;
  /** Makes a one-time invitation for a site. */
  invite(input: OperationInput<'invite'>): Promise<MadeInvitation>;
  /** Signs and publishes a plan given as parsed JSON. */
  publishPlan(input: OperationInput<'publishPlan'>): Promise<PlanPublication>;
  openRound(input: OperationInput<'openRound'>): Promise<OpenedRound>;
  /** Closes the open round with the updates that are there. */
  closeRound(input: OperationInput<'closeRound'>): Promise<ClosedRound>;
  /** Answers the sites that wait for the plan's remedy after a withdrawal. */
  carryOutRemedy(input: OperationInput<'carryOutRemedy'>): Promise<CarriedOut>;
  /** Dismisses a request for a remedy, with a reason that its site is told. */
  dismissRemedy(input: OperationInput<'dismissRemedy'>): Promise<DismissedRemedy>;
  /** What the sites released in the statistics round; null where nothing is published. */
  statistics(
    input: OperationInput<'statistics'>,
  ): Promise<{ readonly statistics: PublishedStatistics | null }>;
  /** Writes for one site what the server would answer it. `directory`: absolute; the bundle's folder is made in it. */
  exportBundle(input: OperationInput<'exportBundle'>): Promise<ExportedBundle>;
  /** Takes in what a site sends by an offline bundle. */
  importBundle(input: OperationInput<'importBundle'>): Promise<ImportedBundle>;
  /** Verifies the log and makes every global model again. */
  verifyAudit(input: OperationInput<'verifyAudit'>): Promise<AuditVerification>;
}
