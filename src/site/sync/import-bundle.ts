// Takes in a bundle from the consortium: verified as a whole first, then each record by the code that takes it over online. A bundle
// that was overtaken - by a newer one, or by an online sync - changes nothing but receipts that were still missing.
import { CodedError } from '#base/coded-error.ts';
import type { MediaFolder } from '#base/media-folder.ts';
import type { VerifiedRecord } from '#federation/records/record.ts';
import { BundleError, badBundle } from '#federation/sync-contract/bundle-error.ts';
import { TRUST_LIST_FILE } from '#federation/sync-contract/bundle-files.ts';
import {
  type BundleManifest,
  bundleInRecord,
  MANIFEST_NAME,
  missingBefore,
  refuseFork,
  requireDirection,
  verifyManifest,
} from '#federation/sync-contract/bundle-manifest.ts';
import { type Bundle, openBundle, readUnlisted } from '#federation/sync-contract/open-bundle.ts';
import type { ResearchStudySummaries } from '#federation/sync-contract/routes.ts';
import { checkTrustList } from '#site/agreement/index.ts';
import type { Json } from '#site/audit/index.ts';
import { createBundleExchange } from './bundle-exchange.ts';
import { lastSequence, loadBundles, saveBundle } from './bundle-register.ts';
import { takeHeld, takeReceipts } from './carried-receipts.ts';
import { createConsortiumClient } from './consortium-client.ts';
import { latestStoredModel } from './global-models.ts';
import { takeOverAnswers } from './remedy-answers.ts';
import type { ExchangeContext, SyncContext } from './sync-context.ts';
import { type ReceivedRecord, takeOver } from './take-over.ts';

export interface BundleImportOptions extends Omit<SyncContext, 'settings'> {
  readonly media: MediaFolder;
}

export interface BundleImport {
  readonly kind: 'in';
  readonly researchStudyId: string;
  readonly sequence: number;
  /** Numbers before this one that never came. */
  readonly missing: number[];
  /** Whether it was read to its end before. */
  readonly isRepeat: boolean;
  /** Whether the site knew newer things already. */
  readonly isOvertaken: boolean;
  readonly received: ReceivedRecord[];
  /** Updates whose receipt came with it. */
  readonly receipts: string[];
}

/**
 * Takes in a bundle; a repetition changes nothing, and what a crash cut off is gone on with.
 * @throws BundleError, MediaError, RecordError: nothing was taken. Refusals of the records in it, as `takeOver` gives them: the rest was
 * taken, and the bundle does not count as read.
 */
export async function importBundle(options: BundleImportOptions): Promise<BundleImport> {
  const { store, auditLog, actor } = options;
  try {
    const context = { ...options, settings: options.agreement.requireSettings() };
    return await takeIn(context, await openVerified(context));
  } catch (error) {
    if (error instanceof CodedError && error.code !== 'BUG') {
      const { code: reason, details } = error;
      store.transaction(() =>
        auditLog.append({
          actor: actor.name,
          role: actor.role,
          action: 'bundle-read',
          outcome: 'refused',
          reason,
          detail: details as Json,
        }),
      );
    }
    throw error;
  }
}

interface OpenedBundle {
  readonly manifest: VerifiedRecord<BundleManifest<'in'>>;
  readonly bundle: Bundle;
  readonly trustListVersion: number;
}

interface ImportContext extends SyncContext {
  readonly media: MediaFolder;
}

async function openVerified(context: ImportContext): Promise<OpenedBundle> {
  const { store, agreement, settings, media } = context;
  const nowMs = store.clock.nowMs();
  const envelope = await readUnlisted(media, MANIFEST_NAME);
  requireDirection(bundleInRecord, envelope);
  const { rootPublicKey, siteId: expected } = settings;
  const trustList = await readUnlisted(media, TRUST_LIST_FILE);
  const { list, trust: carried } = checkTrustList({ envelope: trustList, rootPublicKey, nowMs });
  // By the newer of both lists: an old one still trusts keys that were revoked since.
  const trust = list.version >= acceptedVersion(context) ? carried : agreement.trustedKeys();
  const manifest = verifyManifest(bundleInRecord, envelope, { trust, nowMs });
  const { siteId: found, sequence, files } = manifest.predicate;
  if (found !== expected)
    throw new BundleError('MIXUP', 'The bundle is for another site.', { details: { expected, found } });
  refuseFork(sequence, loadBundles(store, 'in').get(sequence)?.manifest_digest, manifest.digest);
  return { manifest, bundle: await openBundle(media, files), trustListVersion: list.version };
}

function acceptedVersion({ store }: SyncContext): number {
  const query = store.query.selectFrom('trust_list').select('version').orderBy('version', 'desc').limit(1);
  return store.get(query)?.version ?? 0;
}

async function takeIn(context: ImportContext, opened: OpenedBundle): Promise<BundleImport> {
  const { store } = context;
  const { manifest, bundle } = opened;
  const { researchStudyId, sequence } = manifest.predicate;
  const client = createConsortiumClient(createBundleExchange(bundle, researchStudyId));
  const exchange: ExchangeContext = { ...context, client };
  const [summary, ...others] = await client.listResearchStudies();
  if (summary?.researchStudyId !== researchStudyId || others.length > 0)
    throw badBundle('a list of other research studies than its own');
  const before = loadBundles(store, 'in');
  const isOvertaken = sequence < lastSequence(before) || isBehind(context, opened, summary);
  const received: ReceivedRecord[] = [];
  const refusals = isOvertaken ? [] : await takeOver(exchange, received);
  const receipts = await takeReceipts(exchange, bundle);
  await takeHeld(exchange, bundle);
  await takeOverAnswers(exchange);
  const [refusal] = [...refusals, ...receipts.refusals];
  if (refusal !== undefined) throw refusal;
  const result: BundleImport = {
    kind: 'in',
    researchStudyId,
    sequence,
    missing: missingBefore(sequence, new Set(before.keys())),
    isRepeat: before.has(sequence),
    isOvertaken,
    received,
    receipts: receipts.received,
  };
  record(context, result, manifest.digest);
  return result;
}

/**
 * Whether the site knows more than the consortium did when it wrote the bundle. Online this is a rollback; a medium is on its way while
 * the site may sync. Either way nothing of it is taken.
 */
function isBehind(
  context: SyncContext,
  { trustListVersion }: OpenedBundle,
  summary: ResearchStudySummaries[number],
): boolean {
  const { researchStudyId, remedy, planVersion, latestModelRound, openRound, attempt } = summary;
  if (trustListVersion < acceptedVersion(context)) return true;
  const accepted = context.agreement
    .listResearchStudies()
    .find(({ plan }) => plan.researchStudyId === researchStudyId);
  if (accepted === undefined) return false;
  const knownRemedies = context.agreement.remedies(researchStudyId).length;
  if (remedy !== knownRemedies) return remedy < knownRemedies;
  const latest = latestStoredModel(context, researchStudyId)?.round ?? -1;
  if (planVersion < accepted.plan.version || latestModelRound < latest) return true;
  const known = context.store.get(
    context.store.query
      .selectFrom('round')
      .select(['round', 'attempt'])
      .where('research_study_id', '=', researchStudyId)
      .where('remedy', '=', remedy)
      .orderBy('round', 'desc')
      .orderBy('attempt', 'desc')
      .limit(1),
  );
  if (known === undefined || openRound === null || attempt === null) return false;
  return openRound < known.round || (openRound === known.round && attempt < known.attempt);
}

/** The last step: a bundle that is in the register was taken to its end. */
function record({ store, auditLog, actor }: SyncContext, read: BundleImport, manifestDigest: string): void {
  const { researchStudyId, sequence, missing, isRepeat, isOvertaken } = read;
  store.transaction(() => {
    if (!isRepeat)
      saveBundle(store, {
        kind: 'in',
        sequence,
        research_study_id: researchStudyId,
        manifest_digest: manifestDigest,
        log_size: null,
      });
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'bundle-read',
      object: `bundle:in:${sequence}`,
      researchStudyId,
      outcome: 'success',
      reason: isRepeat ? 'REPLAY' : undefined,
      detail: { manifestDigest, missing, isOvertaken, receipts: read.receipts },
    });
  });
}
