// Writes for one site what the server would answer it: trust list, plan, remedies, models with their proofs, the open round, and the
// receipts of its updates. Everything since the beginning: a site takes what it lacks, whatever was lost on the way.

import { utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { BugError } from '#base/coded-error.ts';
import type { MediaFolder } from '#base/media-folder.ts';
import type { ReadRoute, SyncService } from '#consortium/http/index.ts';
import { heldLogSize } from '#consortium/intake/index.ts';
import type { Foundation } from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { parseCheckpoint } from '#federation/log/checkpoint.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { parseStatement } from '#federation/records/statement.ts';
import {
  answerFile,
  HELD_FILE,
  type HeldOfSite,
  receiptProofFile,
} from '#federation/sync-contract/bundle-files.ts';
import {
  type BundleFile,
  type BundleManifest,
  bundleExpiry,
  bundleInRecord,
} from '#federation/sync-contract/bundle-manifest.ts';
import {
  type ResearchStudySummaries,
  type RouteParameters,
  researchStudySummaries,
} from '#federation/sync-contract/routes.ts';
import {
  type BundleContent,
  requireOwnFolder,
  writeContents,
  writeManifest,
} from '#federation/sync-contract/write-bundle.ts';
import { loadBundles, saveBundle } from './bundle-register.ts';
import { receivedEntries } from './received-entries.ts';

export interface BundleOrder {
  readonly siteId: string;
  readonly researchStudyId: string;
  readonly media: MediaFolder;
}

export interface ExportedBundle {
  readonly kind: 'in';
  readonly siteId: string;
  readonly researchStudyId: string;
  readonly sequence: number;
  readonly latestModelRound: number;
  readonly openRound: number | null;
  readonly receipts: number;
  readonly fileCount: number;
  readonly bytes: number;
  readonly expires: string;
}

/** Proofs from the newest so many checkpoints: a site has seen one of them. */
const MAX_CHECKPOINTS = 500;

/** @throws SyncError NOT_FOUND for a research study that is not the site's; BundleError BUNDLE_IN_THE_WAY; MediaError. */
export async function exportBundle(
  foundation: Foundation,
  service: SyncService,
  order: BundleOrder,
): Promise<ExportedBundle> {
  const { store, log, signers } = foundation;
  const { siteId, researchStudyId, media } = order;
  const read = (route: ReadRoute, parameters: RouteParameters = {}): Uint8Array =>
    service.read(route, { siteId, parameters: asText({ researchStudyId, ...parameters }), body: none }).body;
  read('plan');
  await requireOwnFolder(media, { kind: 'in', siteId, researchStudyId });
  // A checkpoint over all that is told here: receipts have none of their own.
  const latest = store.transaction(() => log.checkpoint());
  const summary = ownSummary(read('researchStudies'), researchStudyId);
  const receipts = receiptContents(foundation, order);
  const held = heldOf(foundation, order);
  const files = await writeContents(order, [
    ...answers(read, summary),
    ...consistencyAnswers(foundation, read, parseCheckpoint(latest.note).size),
    ...receipts.flat(),
    ...remedyAnswers(read, held),
    content(HELD_FILE, utf8(JSON.stringify(held))),
  ]);
  const statement = encodeStatement(bundleInRecord, { predicate: manifestOf(foundation, order, files) });
  const written = record(foundation, order, { statement, files });
  await writeManifest(order, signStatement(statement, [signers.model]));
  const { latestModelRound, openRound } = summary;
  return { ...written, latestModelRound, openRound, receipts: receipts.length };
}

function manifestOf(
  { store }: Foundation,
  { siteId, researchStudyId }: BundleOrder,
  files: BundleFile[],
): BundleManifest<'in'> {
  const nowMs = store.clock.nowMs();
  const sequence = ([...loadBundles(store, { siteId, kind: 'in' }).keys()].at(-1) ?? 0) + 1;
  const times = { createdAt: isoTime(nowMs), expires: isoTime(bundleExpiry(nowMs)) };
  return { kind: 'in', siteId, researchStudyId, sequence, ...times, files };
}

interface Written {
  readonly statement: Uint8Array;
  readonly files: readonly BundleFile[];
}

/** Takes the number before the manifest makes a bundle of the files. */
function record(
  { store, log }: Foundation,
  { siteId, researchStudyId }: BundleOrder,
  { statement, files }: Written,
): Omit<ExportedBundle, 'latestModelRound' | 'openRound' | 'receipts'> {
  const { sequence, expires } = parseStatement(bundleInRecord, statement).predicate;
  const fileCount = files.length;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const manifestDigest = sha256Hex(statement);
  store.transaction(() => {
    saveBundle(store, {
      site_id: siteId,
      kind: 'in',
      sequence,
      research_study_id: researchStudyId,
      manifest_digest: manifestDigest,
    });
    log.append({
      actor: 'operator',
      action: 'bundle-written',
      outcome: 'success',
      object: `bundle:in:${siteId}:${sequence}`,
      researchStudyId,
      detail: { manifestDigest, fileCount, bytes },
    });
  });
  return { kind: 'in', siteId, researchStudyId, sequence, fileCount, bytes, expires };
}

const none = new Uint8Array();

type Read = (route: ReadRoute, parameters?: RouteParameters) => Uint8Array;

function asText(parameters: RouteParameters): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}

/** Of all that the server tells the site, the line of this research study. */
function ownSummary(body: Uint8Array, researchStudyId: string): ResearchStudySummaries[number] {
  const all = researchStudySummaries.parse(JSON.parse(new TextDecoder().decode(body)));
  const own = all.find((summary) => summary.researchStudyId === researchStudyId);
  if (own === undefined) throw new BugError('a plan without its research study');
  return own;
}

/** Small answers as they are now; the weights of a model when its turn comes. */
function answers(read: Read, summary: ResearchStudySummaries[number]): BundleContent[] {
  const answer = (route: ReadRoute, parameters: RouteParameters = {}): BundleContent[] => {
    const body = read(route, parameters);
    return body.length === 0 ? [] : [content(answerFile(route, parameters), body)];
  };
  const remedies = Array.from({ length: summary.remedy }, (_, at) => answer('remedy', { remedy: at + 1 }));
  const models = Array.from({ length: summary.latestModelRound + 1 }, (_, round) => [
    ...answer('model', { round }),
    { name: answerFile('modelTensors', { round }), load: () => read('modelTensors', { round }) },
    ...answer('modelProof', { round }),
  ]);
  return [
    ...answer('trustList'),
    content(answerFile('researchStudies'), utf8(JSON.stringify([summary]))),
    ...answer('plan'),
    ...answer('openRound'),
    ...remedies.flat(),
    ...models.flat(),
  ];
}

/** From each checkpoint that the site may have seen to the one that the proofs here are under. */
function consistencyAnswers({ store }: Foundation, read: Read, size: number): BundleContent[] {
  const checkpoints = store.query.selectFrom('log_checkpoint').select('size').where('size', '<', size);
  const seen = store.all(checkpoints.where('size', '>', 0).orderBy('size', 'desc').limit(MAX_CHECKPOINTS));
  return seen.map(({ size: oldSize }) =>
    content(answerFile('logConsistency', { oldSize, size }), read('logConsistency', { oldSize, size })),
  );
}

/** Each receipt, and the proof that it stands in the log. */
function receiptContents(
  { store, log }: Foundation,
  { siteId, researchStudyId }: BundleOrder,
): BundleContent[][] {
  const places = receivedEntries(store, siteId);
  const received = store.query
    .selectFrom('received_update')
    .select(['update_digest', 'receipt'])
    .where('site_id', '=', siteId)
    .where('research_study_id', '=', researchStudyId);
  return store.all(received.orderBy('sequence')).map(({ update_digest: digest, receipt }) => {
    const place = places.get(digest);
    if (place === undefined) throw new BugError('a received update without its entry');
    return [
      content(answerFile('update', { bundleId: digest }), receipt),
      content(receiptProofFile(digest), utf8(JSON.stringify(log.prove(place)))),
    ];
  });
}

/** To the site's requests, where there is one. */
function remedyAnswers(read: Read, { remedyRequests }: HeldOfSite): BundleContent[] {
  return remedyRequests.flatMap((requestDigest) => {
    const body = read('remedyAnswer', { requestDigest });
    return body.length === 0 ? [] : [content(answerFile('remedyAnswer', { requestDigest }), body)];
  });
}

function heldOf({ store }: Foundation, { siteId, researchStudyId }: BundleOrder): HeldOfSite {
  const requests = store.query
    .selectFrom('remedy_request')
    .select('request_digest')
    .where('site_id', '=', siteId)
    .where('research_study_id', '=', researchStudyId);
  const remedyRequests = store.all(requests.orderBy('request_digest')).map((row) => row.request_digest);
  return { logSize: heldLogSize(store, siteId), remedyRequests };
}

function content(name: string, bytes: Uint8Array): BundleContent {
  return { name, load: () => bytes };
}
