// Takes in a bundle from a site: verified as a whole first, then each thing in it by the service that takes it online. An update counts
// once, however it came and however often.
import { CodedError } from '#base/coded-error.ts';
import type { MediaFolder } from '#base/media-folder.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import type { SyncAnswer, SyncService } from '#consortium/http/index.ts';
import { heldLogSize } from '#consortium/intake/index.ts';
import type { Foundation } from '#consortium/store/index.ts';
import { parseCheckpoint } from '#federation/log/checkpoint.ts';
import { parseLogExtension } from '#federation/log/log-extension.ts';
import { noteText } from '#federation/log/signed-note.ts';
import type { VerifiedRecord } from '#federation/records/record.ts';
import { badBundle } from '#federation/sync-contract/bundle-error.ts';
import { type CarriedRequests, sortRequests } from '#federation/sync-contract/bundle-files.ts';
import {
  type BundleManifest,
  bundleOutRecord,
  MANIFEST_NAME,
  missingBefore,
  refuseFork,
  verifyManifest,
} from '#federation/sync-contract/bundle-manifest.ts';
import { type Bundle, openBundle, readUnlisted } from '#federation/sync-contract/open-bundle.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';
import { loadBundles, saveBundle } from './bundle-register.ts';

export interface BundleIntake {
  readonly service: SyncService;
  readonly trust: SignedTrust;
  /** Length of the longest sealed update that a plan allows. */
  readonly maxSealedBytes: number;
  readonly media: MediaFolder;
}

export interface ImportedItem {
  readonly item: 'update' | 'remedy-request' | 'log-checkpoint';
  /** The bundle id of an update; null for the rest. */
  readonly bundleId: string | null;
  /** `overtaken`: the site has shown a longer log since. */
  readonly outcome: 'received' | 'overtaken' | 'refused';
  readonly code: string | null;
}

export interface ImportedBundle {
  readonly kind: 'out';
  readonly siteId: string;
  readonly researchStudyId: string;
  readonly sequence: number;
  /** Numbers before this one that never came. */
  readonly missing: number[];
  /** Whether it was read to its end before. */
  readonly isRepeat: boolean;
  readonly items: ImportedItem[];
}

const MAX_REQUEST_BYTES = 256 * 1024;

/**
 * Takes in what a site sends. What is refused in it is told item by item; a repetition changes nothing.
 * @throws BundleError, MediaError, RecordError: the bundle is refused as a whole, with a log entry and nothing taken.
 */
export async function importBundle(foundation: Foundation, intake: BundleIntake): Promise<ImportedBundle> {
  const { store, log } = foundation;
  try {
    const { manifest, bundle, requests } = await openVerified(foundation, intake);
    const items = await takeItems(foundation, intake, {
      siteId: manifest.predicate.siteId,
      bundle,
      requests,
    });
    return record(foundation, manifest, items);
  } catch (error) {
    if (error instanceof CodedError && error.code !== 'BUG') {
      const { code: reason } = error;
      store.transaction(() =>
        log.append({ actor: 'operator', action: 'bundle-read', outcome: 'refused', reason }),
      );
    }
    throw error;
  }
}

async function openVerified({ store }: Foundation, { trust, media }: BundleIntake) {
  const envelope = await readUnlisted(media, MANIFEST_NAME);
  const manifest = verifyManifest(bundleOutRecord, envelope, {
    trust: trust.keys,
    nowMs: store.clock.nowMs(),
  });
  const { siteId, sequence, files } = manifest.predicate;
  const known = loadBundles(store, { siteId, kind: 'out' }).get(sequence);
  refuseFork(sequence, known?.manifest_digest, manifest.digest);
  const bundle = await openBundle(media, files);
  const requests = sortRequests(bundle.names);
  if (requests.others.length > 0) throw badBundle('a file that no site sends');
  return { manifest, bundle, requests };
}

interface Carried {
  readonly siteId: string;
  readonly bundle: Bundle;
  readonly requests: CarriedRequests;
}

/** In the order of a sync: the consortium takes back what it holds, and the checkpoint is over all of it. */
async function takeItems(
  { store }: Foundation,
  { service, maxSealedBytes }: BundleIntake,
  { siteId, bundle, requests }: Carried,
): Promise<ImportedItem[]> {
  const items: ImportedItem[] = [];
  const take = async (
    item: ImportedItem['item'],
    bundleId: string | null,
    bring: () => Promise<SyncAnswer | 'overtaken'>,
  ): Promise<void> => {
    items.push({ item, bundleId, ...(await outcomeOf(bring)) });
  };
  for (const { name, bundleId } of requests.updates) {
    await take('update', bundleId, async () => {
      const body = await findFitting(bundle, name, maxSealedBytes);
      return service.answer('update', { siteId, parameters: { bundleId }, body });
    });
  }
  for (const name of requests.remedyRequests) {
    await take('remedy-request', null, async () => {
      const body = await findFitting(bundle, name, MAX_REQUEST_BYTES);
      return service.answer('remedyRequest', { siteId, parameters: {}, body });
    });
  }
  const heldSize = heldLogSize(store, siteId);
  const checkpoint = fittingCheckpoint(requests, heldSize);
  if (checkpoint === undefined) return items;
  await take('log-checkpoint', null, async () => {
    const body = await findFitting(bundle, checkpoint, MAX_REQUEST_BYTES);
    if (isOvertaken(body, heldSize)) return 'overtaken';
    return service.answer('logCheckpoint', { siteId, parameters: {}, body });
  });
  return items;
}

/** @throws BundleError BAD_BUNDLE where it is longer. */
async function findFitting(bundle: Bundle, name: string, maxBytes: number): Promise<Uint8Array> {
  const body = await bundle.find(name, maxBytes);
  if (body !== undefined) return body;
  throw new SyncError('NOT_FOUND', 'The bundle has no such file.');
}

async function outcomeOf(
  bring: () => Promise<SyncAnswer | 'overtaken'>,
): Promise<Pick<ImportedItem, 'outcome' | 'code'>> {
  try {
    return { outcome: (await bring()) === 'overtaken' ? 'overtaken' : 'received', code: null };
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'BUG') throw error;
    return { outcome: 'refused', code: error.code };
  }
}

/** The proof that starts from what is held; any other one where there is none, so that the refusal tells. */
function fittingCheckpoint({ checkpoints }: CarriedRequests, heldSize: number): string | undefined {
  return checkpoints.get(heldSize) ?? [...checkpoints.values()][0];
}

/**
 * Whether the site has shown a longer log since, online or in a later bundle: no sign of a log that was cut, which the numbers of
 * bundles and the statements of updates would show.
 */
function isOvertaken(extension: Uint8Array, heldSize: number): boolean {
  const { note } = parseLogExtension(noteText(extension));
  return parseCheckpoint(note).size < heldSize;
}

/** The last step: a bundle that is in the register was taken to its end. */
function record(
  { store, log }: Foundation,
  { predicate, digest }: VerifiedRecord<BundleManifest<'out'>>,
  items: ImportedItem[],
): ImportedBundle {
  const { siteId, researchStudyId, sequence } = predicate;
  return store.transaction(() => {
    const read = loadBundles(store, { siteId, kind: 'out' });
    const isRepeat = read.has(sequence);
    const missing = missingBefore(sequence, new Set(read.keys()));
    if (!isRepeat)
      saveBundle(store, {
        site_id: siteId,
        kind: 'out',
        sequence,
        research_study_id: researchStudyId,
        manifest_digest: digest,
      });
    log.append({
      actor: `site:${siteId}`,
      action: 'bundle-read',
      outcome: 'success',
      object: `bundle:out:${siteId}:${sequence}`,
      researchStudyId,
      ...(isRepeat ? { reason: 'REPLAY' } : {}),
      detail: { manifestDigest: digest, missing, items: items.length },
    });
    return { kind: 'out', siteId, researchStudyId, sequence, missing, isRepeat, items };
  });
}
