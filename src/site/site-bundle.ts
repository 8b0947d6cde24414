// An offline bundle as a site does it: seal what stewards approved and write it, or take in what came and try a new model on the holdout.
import { openMediaFolder } from '#base/media-folder.ts';
import { BundleError } from '#federation/sync-contract/bundle-error.ts';
import { bundlePath } from '#federation/sync-contract/bundle-manifest.ts';
import type { Actor } from '#site/audit/index.ts';
import { type BundleExport, type BundleImport, exportBundle, importBundle } from '#site/sync/index.ts';
import { cohortOf, evaluateReceived, type SyncStages, sealApproved } from './site-sync.ts';

export interface BundleOrder {
  /** Absolute; the bundle's own folder is made in it. */
  readonly directory: string;
  /** Null where the site takes part in one research study alone. */
  readonly researchStudyId: string | null;
}

/** @throws AgreementError, BundleError, MediaError. */
export async function writeBundle(
  stages: SyncStages,
  { directory, researchStudyId }: BundleOrder,
  actor: Actor,
): Promise<BundleExport> {
  const { store, auditLog, people, agreement } = stages;
  agreement.requireSettings();
  const study = researchStudyId ?? onlyResearchStudy(stages);
  const blocked = await sealApproved(stages, actor);
  const written = await exportBundle({
    store,
    auditLog,
    people,
    agreement,
    actor,
    researchStudyId: study,
    place: { media: openMediaFolder(bundlePath(directory)) },
    reevaluateConsent: (updateId) => stages.cohorts.recheck(cohortOf(stages, updateId)),
  });
  const refused = blocked.map(({ updateId, code }) => ({
    updateId,
    outcome: 'refused' as const,
    code,
    bytes: 0,
  }));
  return { ...written, updates: [...refused, ...written.updates] };
}

/** @throws AgreementError NOT_ENROLLED, BundleError, MediaError, and refusals of the records in the bundle. */
export async function readBundle(stages: SyncStages, directory: string, actor: Actor): Promise<BundleImport> {
  const { store, auditLog, agreement } = stages;
  const media = openMediaFolder(bundlePath(directory));
  const read = await importBundle({ store, auditLog, agreement, actor, media });
  await evaluateReceived(stages, read);
  return read;
}

function onlyResearchStudy({ agreement }: SyncStages): string {
  const [study, ...others] = agreement.listResearchStudies();
  if (study !== undefined && others.length === 0) return study.plan.researchStudyId;
  throw new BundleError('RESEARCH_STUDY_NEEDED', 'Say of which research study the bundle is to be.', {
    details: { found: others.length + (study === undefined ? 0 : 1) },
  });
}
