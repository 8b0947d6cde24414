// The contract as a host serves it: that of the screens, and the offline bundle, whose folders only the site's own machine knows.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { siteContract } from '#ipc/contract.ts';

const count = z.int().min(0);
/** Absolute path on the machine that runs the site. */
const directory = z.string().min(1).max(4096);

const bundleExport = z.strictObject({
  kind: z.literal('out'),
  researchStudyId: z.string(),
  sequence: count,
  updates: z.array(
    z.strictObject({
      updateId: z.string(),
      outcome: z.enum(['written', 'refused']),
      code: z.string().nullable(),
      bytes: count,
    }),
  ),
  remedyRequests: count,
  fileCount: count,
  bytes: count,
  expires: z.string(),
});

const bundleImport = z.strictObject({
  kind: z.literal('in'),
  researchStudyId: z.string(),
  sequence: count,
  /** Numbers before this one that never came. */
  missing: z.array(count),
  isRepeat: z.boolean(),
  /** Whether the site knew newer things already; then nothing but missing receipts was taken. */
  isOvertaken: z.boolean(),
  received: z.array(
    z.strictObject({
      record: z.string(),
      researchStudyId: z.string().nullable(),
      round: z.int().nullable(),
    }),
  ),
  /** Updates whose receipt came with it. */
  receipts: z.array(z.string()),
});

export const hostContract = {
  ...siteContract,
  bundle: {
    /** `researchStudyId` null: the one that the site takes part in. */
    export: oc
      .input(z.strictObject({ directory, researchStudyId: z.string().max(64).nullable() }))
      .output(bundleExport),
    import: oc.input(z.strictObject({ directory })).output(bundleImport),
  },
};
export type HostContract = typeof hostContract;
