// Writes what waits for the consortium onto a medium: sealed updates, requests for a remedy, and this site's checkpoint with the proofs
// that it continues whatever the consortium may hold of the log.
import { utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeLogExtension } from '#federation/log/log-extension.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { checkpointFile, remedyRequestFile, updateFile } from '#federation/sync-contract/bundle-files.ts';
import { bundleExpiry, bundleOutRecord } from '#federation/sync-contract/bundle-manifest.ts';
import {
  type BundleContent,
  type BundlePlace,
  requireOwnFolder,
  writeContents,
  writeManifest,
} from '#federation/sync-contract/write-bundle.ts';
import type { Actor } from '#site/audit/index.ts';
import type { People } from '#site/people/index.ts';
import { lastSequence, loadBundles, saveBundle } from './bundle-register.ts';
import { beginDeparture, listWaiting, loadWaiting } from './outbox.ts';
import { listWaitingRequests } from './remedy-requests.ts';
import { loadSentSize } from './site-checkpoint.ts';
import type { DepartureContext } from './sync-context.ts';
import { saveTraffic } from './traffic.ts';

export interface BundleExportOptions extends Omit<DepartureContext, 'settings'> {
  readonly people: People;
  readonly place: BundlePlace;
  readonly researchStudyId: string;
  readonly actor: Actor;
}

export interface ExportedUpdate {
  readonly updateId: string;
  /** `refused`: it may not leave any more. */
  readonly outcome: 'written' | 'refused';
  readonly code: string | null;
  readonly bytes: number;
}

export interface BundleExport {
  readonly kind: 'out';
  readonly researchStudyId: string;
  readonly sequence: number;
  readonly updates: ExportedUpdate[];
  readonly remedyRequests: number;
  readonly fileCount: number;
  readonly bytes: number;
  readonly expires: string;
}

/** The log's checkpoint continues one of the last so many that were carried, or the one that is known to be held. */
const MAX_PROOFS = 50;

/**
 * Writes a bundle for a research study. May be repeated as often as one likes: the consortium counts an update once.
 * @throws AgreementError NOT_ENROLLED, PLAN_NOT_ACCEPTED; BundleError BUNDLE_IN_THE_WAY; MediaError MEDIA_UNAVAILABLE.
 */
export async function exportBundle(options: BundleExportOptions): Promise<BundleExport> {
  const { agreement, place, researchStudyId } = options;
  const settings = agreement.requireSettings();
  const { siteId } = settings;
  agreement.currentPlan(researchStudyId);
  await requireOwnFolder(place.media, { kind: 'out', siteId, researchStudyId });
  const context = { ...options, settings };
  const updates: ExportedUpdate[] = [];
  const requests = listWaitingRequests(context).filter((row) => row.research_study_id === researchStudyId);
  const checkpoint: { size?: number } = {};
  const files = await writeContents(
    place,
    (function* contents() {
      yield* updateContents(context, updates);
      for (const { request_digest: digest, envelope } of requests)
        yield { name: remedyRequestFile(digest), load: () => envelope };
      // Last, over what the lines above have logged.
      yield* checkpointContents(context, checkpoint);
    })(),
  );
  const nowMs = options.store.clock.nowMs();
  const predicate = {
    kind: 'out' as const,
    siteId,
    researchStudyId,
    sequence: lastSequence(loadBundles(options.store, 'out')) + 1,
    createdAt: isoTime(nowMs),
    expires: isoTime(bundleExpiry(nowMs)),
    files,
  };
  const statement = encodeStatement(bundleOutRecord, { predicate });
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const { sequence, expires } = predicate;
  const written: BundleExport = {
    kind: 'out',
    researchStudyId,
    sequence,
    updates,
    remedyRequests: requests.length,
    fileCount: files.length,
    bytes,
    expires,
  };
  record(options, written, { manifestDigest: sha256Hex(statement), logSize: checkpoint.size ?? 0 });
  await writeManifest(place, signStatement(statement, [options.people.siteSigner()]));
  saveTraffic(options.store, { sent: { bundle: bytes }, received: 0 });
  return written;
}

/** Each update is checked, and its departure logged, right before its bytes are written (C9, A2). */
function* updateContents(
  context: DepartureContext & { readonly researchStudyId: string },
  updates: ExportedUpdate[],
): Generator<BundleContent> {
  for (const updateId of listWaiting(context)) {
    const waiting = loadWaiting(context, updateId);
    if (waiting === undefined || waiting.research_study_id !== context.researchStudyId) continue;
    const { code } = beginDeparture(context, waiting, 'media') ?? { code: null };
    const bytes = code === null ? waiting.sealed_file.length : 0;
    updates.push({ updateId, outcome: code === null ? 'written' : 'refused', code, bytes });
    if (code === null) yield { name: updateFile(updateId), load: () => waiting.sealed_file };
  }
}

function* checkpointContents(context: DepartureContext, shown: { size?: number }): Generator<BundleContent> {
  const { store, auditLog } = context;
  const { size, note } = auditLog.checkpoint();
  shown.size = size;
  const known = loadSentSize(context) ?? 0;
  const carried = [...loadBundles(store, 'out').values()].map(({ log_size: logSize }) => logSize ?? 0);
  const unconfirmed = carried.filter((logSize) => logSize > known && logSize < size).slice(-MAX_PROOFS);
  for (const oldSize of new Set([known, ...unconfirmed])) {
    const proof = auditLog.proveConsistency(oldSize, size);
    yield { name: checkpointFile(oldSize), load: () => utf8(encodeLogExtension({ oldSize, proof, note })) };
  }
}

interface Written {
  readonly manifestDigest: string;
  readonly logSize: number;
}

/** Before the manifest makes a bundle of the files: no disclosure without its entry (A2). */
function record(
  { store, auditLog, actor, researchStudyId }: BundleExportOptions,
  { sequence, updates, fileCount, bytes }: BundleExport,
  { manifestDigest, logSize }: Written,
): void {
  store.transaction(() => {
    saveBundle(store, {
      kind: 'out',
      sequence,
      research_study_id: researchStudyId,
      manifest_digest: manifestDigest,
      log_size: logSize,
    });
    const left = updates.filter(({ outcome }) => outcome === 'written').map(({ updateId }) => updateId);
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'bundle-written',
      object: `bundle:out:${sequence}`,
      researchStudyId,
      outcome: 'success',
      detail: { manifestDigest, fileCount, bytes, updates: left, logSize },
    });
  });
}
