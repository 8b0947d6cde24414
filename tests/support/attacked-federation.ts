// A whole federation in one process for hostile tests: a real consortium behind real TLS, two hospitals with encrypted profiles
// and the heart study's own data, and the keys that an insider would have. Only the engine counts instead of training.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '#base/bytes.ts';
import { silentLogger } from '#base/logger.ts';
import {
  type Consortium,
  type ConsortiumKeys,
  createConsortiumKeys,
  openConsortium,
} from '#consortium/consortium.ts';
import { openConsortiumStore } from '#consortium/store/index.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import { unwrapSeed } from '#federation/crypto/secret-wrap.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { type Leaf, parseLeaf } from '#federation/log/leaf.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { createTrustedKeys, type TrustedKeys } from '#federation/records/record.ts';
import { type OpenedUpdate, openSealedUpdate } from '#federation/records/sealed-update.ts';
import { parseStatement } from '#federation/records/statement.ts';
import { trustListRecord } from '#federation/records/trust-list.ts';
import { signRequest } from '#federation/sync-contract/request-signature.ts';
import { routePath, routes } from '#federation/sync-contract/routes.ts';
import { createFileKeyStore } from '#host/file-key-store.ts';
import { createPinnedTransport } from '#host/pinned-transport.ts';
import {
  type Actor,
  initialiseSite,
  openSite,
  type Site,
  type SiteKeys,
  type SitePorts,
  systemActor,
  type Transport,
  type UpdateReview,
} from '#site/site.ts';
import { makeHeartExports } from '../../scripts/make-heart-exports.ts';
import { createCountingHost } from './round-site.ts';

export const researchStudyId = 'heart-disease';
const planFile = fileURLToPath(new URL('../../assets/research-studies/heart/plan.json', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  /** Code of a refusal, undefined for an answer. */
  readonly code: string | undefined;
}

export interface SealedFile {
  readonly file: Uint8Array;
  readonly bundleId: string;
}

/** What an attacker on the network does to a site's requests. */
export interface Wire {
  /** While set, updates are caught on their way and the site hears nothing. */
  isCut: boolean;
  caught: SealedFile | undefined;
  /** Port of another server that the site's connections end up at. */
  divertedTo: number | undefined;
}

export interface AttackedSite {
  readonly siteId: string;
  readonly site: Site;
  readonly profile: string;
  readonly keyFile: string;
  readonly keys: SiteKeys;
  /** The site's own key, as somebody with its key file has it. */
  readonly signing: SigningKey;
  /** The steward's own key, as somebody with the key file and the secret has it. */
  readonly steward: SigningKey;
  readonly person: { readonly name: string; readonly role: 'steward' };
  readonly secret: string;
  readonly wire: Wire;
  sync(): ReturnType<Site['sync']>;
  /** Runs the open round to its draft. */
  draft(): Promise<UpdateReview>;
  approve(review: UpdateReview): void;
  /** Draft, approval, sealing: the file that would leave, caught before it does. */
  sealed(): Promise<SealedFile>;
}

export interface AttackedFederation {
  readonly directory: string;
  readonly exports: string;
  readonly consortium: Consortium;
  readonly keys: ConsortiumKeys;
  readonly url: string;
  readonly clock: { nowMs(): number; advance(milliseconds: number): void };
  readonly cleveland: AttackedSite;
  readonly switzerland: AttackedSite;
  trust(): Promise<TrustedKeys>;
  /** What is inside of a sealed file. */
  open(sealed: SealedFile): Promise<OpenedUpdate>;
  /** Sends a file over TLS in the session of `site`, or signed by another key. */
  send(site: AttackedSite, sealed: SealedFile, signer?: SigningKey): Promise<Answer>;
  /** The consortium's log, oldest first. */
  log(): Leaf[];
  /** What lies beside an entry of the consortium's log; undefined for nothing. */
  logDetail(seq: number): unknown;
  /** Sites whose update the newest round counts. */
  counted(): Promise<string[]>;
  /** Opens the next round and lets both sites see it. */
  openRound(): Promise<void>;
  /** Both sites answer the open round honestly; it closes and both take over the model. */
  finishRound(): Promise<void>;
  /** Ends the server; refusals that it only counted so far are in the log then. */
  closeDoor(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param changes to the shipped plan; participants are Cleveland and Switzerland, with one round of each kind.
 * @param onExports may change the hospitals' exports before they are taken in; rows of theirs may be refused then.
 */
export async function startAttackedFederation(
  changes: Readonly<Record<string, unknown>> = {},
  onExports?: (exports: string) => void,
): Promise<AttackedFederation> {
  const directory = mkdtempSync(path.join(tmpdir(), 'consilium-adversarial-'));
  const exports = path.join(directory, 'exports');
  makeHeartExports(exports);
  onExports?.(exports);
  const clock = createShiftedClock();
  const keys = await createConsortiumKeys({ host: '127.0.0.1', nowMs: clock.nowMs() });
  const storeFile = path.join(directory, 'consortium.db');
  const consortium = openConsortium({ storeFile, keys, clock, logger: silentLogger });
  consortium.begin('Attacked consortium', undefined);
  const server = await consortium.createServer();
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  consortium.announce(url);
  await consortium.operations.publishPlan({ plan: { ...shortPlan(), ...changes } });
  const world = { directory, exports, clock, consortium, isChanged: onExports !== undefined };
  const cleveland = await startSite(world, 'cleveland');
  const switzerland = await startSite(world, 'switzerland');
  const transport = createPinnedTransport();
  const { certificateDigest } = consortium;
  const request = (signer: SigningKey, method: 'GET' | 'PUT', target: string, body: Uint8Array) =>
    sendSigned({ transport, clock, certificateDigest, signer }, { method, url: `${url}${target}`, body });
  const trust = async (): Promise<TrustedKeys> => {
    const { body } = await request(cleveland.signing, 'GET', routePath(routes.trustList), new Uint8Array());
    return createTrustedKeys(parseStatement(trustListRecord, parseEnvelope(body).payload).predicate);
  };
  const openRound = async (): Promise<void> => {
    await consortium.operations.openRound({ researchStudyId });
    await cleveland.sync();
    await switzerland.sync();
  };
  return {
    ...world,
    keys,
    url,
    cleveland,
    switzerland,
    trust,
    open: async ({ file }) =>
      openSealedUpdate({
        file,
        receivingKey: createReceivingKey(keys.receivingSeed),
        trust: await trust(),
        atMs: clock.nowMs(),
      }),
    send: (site, { file, bundleId }, signer = site.signing) =>
      request(signer, 'PUT', routePath(routes.update, { bundleId }), file),
    log: () => readConsortiumLog(storeFile, keys),
    logDetail: (seq) => readLogDetail(storeFile, keys, seq),
    counted: async () => {
      const { researchStudies } = await consortium.operations.status({});
      return (researchStudies[0]?.rounds.at(-1)?.received ?? []).map(({ siteId }) => siteId);
    },
    openRound,
    finishRound: async () => {
      for (const site of [cleveland, switzerland]) {
        const { state } = site.site.round.current(researchStudyId);
        if (state === 'open') site.approve(await site.draft());
        site.wire.isCut = false;
        await site.sync();
      }
      await cleveland.sync();
    },
    closeDoor: () => server.close(),
    close: async () => {
      await cleveland.site.close();
      await switzerland.site.close();
      await transport.close();
      await server.close();
      consortium.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function createShiftedClock(): AttackedFederation['clock'] {
  let shiftMs = 0;
  return {
    nowMs: () => Date.now() + shiftMs,
    advance: (milliseconds) => {
      shiftMs += milliseconds;
    },
  };
}

function shortPlan(): Record<string, unknown> {
  const plan = JSON.parse(readFileSync(planFile, 'utf8')) as { participants: { siteId: string }[] };
  const participants = plan.participants.filter(({ siteId }) =>
    ['cleveland', 'switzerland'].includes(siteId),
  );
  return { ...plan, participants, rounds: ['statistics', 'training', 'evaluation'] };
}

interface World extends Pick<AttackedFederation, 'directory' | 'exports' | 'clock' | 'consortium'> {
  /** Whether the exports are not the hospitals' own. */
  readonly isChanged: boolean;
}

export interface FreshSite
  extends Pick<AttackedSite, 'site' | 'profile' | 'keyFile' | 'wire' | 'person' | 'secret'> {
  readonly keyStore: SitePorts['keyStore'];
}

/** A site with a steward, not enrolled. */
export async function createFreshSite(
  { directory, clock }: Pick<World, 'directory' | 'clock'>,
  siteId: string,
): Promise<FreshSite> {
  const profile = path.join(directory, siteId);
  const keyFile = path.join(directory, 'keys', `${siteId}.json`);
  mkdirSync(profile, { mode: 0o700 });
  mkdirSync(path.dirname(keyFile), { recursive: true, mode: 0o700 });
  const keyStore = createFileKeyStore({ file: keyFile, profile });
  const wire: Wire = { isCut: false, caught: undefined, divertedTo: undefined };
  const ports: SitePorts = {
    paths: { profile },
    keyStore,
    clock,
    transport: createAttackedTransport(wire),
    trainingHost: createSmallStepHost(),
    logger: silentLogger,
  };
  await initialiseSite(ports, { name: `Hospital of ${siteId}` });
  const site = await openSite(ports);
  const person = { name: `Steward of ${siteId}`, role: 'steward' } as const;
  const secret = toHex(systemRandom(8));
  site.people.add(person, secret, systemActor);
  return { site, profile, keyFile, keyStore, wire, person, secret };
}

async function startSite(world: World, siteId: string): Promise<AttackedSite> {
  const { exports, consortium } = world;
  const { site, profile, keyFile, keyStore, wire, person, secret } = await createFreshSite(world, siteId);
  const { invitation } = await consortium.operations.invite({ siteId, name: `Hospital of ${siteId}` });
  await site.enrolment.accept({ invitation, stewards: [{ name: person.name, secret }], actor: person });
  await ingest(site, { folder: path.join(exports, siteId), isChanged: world.isChanged }, person);
  const keys = keyStore.load();
  const [wrapped] = keys?.people ?? [];
  if (keys === undefined || wrapped === undefined) throw new Error('a site without keys');
  const draft = async (): Promise<UpdateReview> => {
    let updateId = '';
    for await (const event of site.round.run(researchStudyId, person))
      if (event.kind === 'done') updateId = event.updateId;
    return site.updates.review(updateId, person);
  };
  const approve = ({ summary: { updateId }, reportDigest }: UpdateReview): void => {
    site.updates.approve({ updateId, reportDigest, name: person.name, secret });
  };
  return {
    siteId,
    site,
    profile,
    keyFile,
    keys,
    signing: createSigningKey(keys.siteSigningSeed),
    steward: createSigningKey(unwrapSeed(wrapped, secret)),
    person,
    secret,
    wire,
    sync: () => site.sync(systemActor),
    draft,
    approve,
    sealed: async () => {
      approve(await draft());
      wire.isCut = true;
      await site.sync(systemActor);
      wire.isCut = false;
      if (wire.caught === undefined) throw new Error('no update left the site');
      return wire.caught;
    },
  };
}

async function ingest(
  site: Site,
  { folder, isChanged }: { readonly folder: string; readonly isChanged: boolean },
  actor: Actor,
): Promise<void> {
  const mapping =
    site.status().siteId === 'cleveland' ? readFileSync(path.join(folder, 'mapping.json'), 'utf8') : null;
  const { signal } = new AbortController();
  for await (const event of site.ingest.ingestPaths({ paths: [folder], mapping, actor, signal }))
    if (!isChanged && event.kind === 'summary' && event.summary.files.some(({ rows }) => rows.rejected > 0))
      throw new Error('the exports were not wholly taken in');
}

/** Within the plan's norm bound. */
function createSmallStepHost() {
  const host = createCountingHost();
  host.step = 0.125;
  return host;
}

function createAttackedTransport(wire: Wire): Transport {
  const transport = createPinnedTransport();
  return {
    send: async (request) => {
      const bundleId = /\/v1\/updates\/([0-9a-f]{64})$/.exec(request.url)?.[1];
      if (wire.divertedTo !== undefined) {
        const diverted = new URL(request.url);
        diverted.port = String(wire.divertedTo);
        return transport.send({ ...request, url: diverted.href });
      }
      if (!wire.isCut || bundleId === undefined) return transport.send(request);
      wire.caught = { file: request.body ?? new Uint8Array(), bundleId };
      // Nobody listens on port 1: the site sees what it sees when its line is cut.
      return transport.send({ ...request, url: 'https://127.0.0.1:1/' });
    },
  };
}

interface Sender {
  readonly transport: Transport;
  readonly clock: AttackedFederation['clock'];
  readonly certificateDigest: string;
  readonly signer: SigningKey;
}

async function sendSigned(
  { transport, clock, certificateDigest, signer }: Sender,
  request: { readonly method: 'GET' | 'PUT'; readonly url: string; readonly body: Uint8Array },
): Promise<Answer> {
  const nonce = toHex(systemRandom(16));
  const signed = signRequest({ ...request, signer, nowMs: clock.nowMs(), nonce });
  const { body, ...rest } = request;
  const hasBody = request.method !== 'GET';
  const answer = await transport.send({
    ...rest,
    ...(hasBody ? { body } : {}),
    certificateDigest,
    headers: { ...signed, ...(hasBody ? { 'content-type': 'application/octet-stream' } : {}) },
    timeoutMs: 20_000,
    maxResponseBytes: 10_000_000,
  });
  return { status: answer.status, body: answer.body, code: codeOf(answer) };
}

/** The code in a refusal's body. */
export function codeOf({
  status,
  body,
}: {
  readonly status: number;
  readonly body: Uint8Array;
}): string | undefined {
  if (status < 300) return undefined;
  return (JSON.parse(new TextDecoder().decode(body)) as { error: { code: string } }).error.code;
}

function readConsortiumLog(file: string, keys: ConsortiumKeys): Leaf[] {
  const store = openConsortiumStore({ file, key: keys.storeKey, clock: { nowMs: () => 0 } });
  try {
    return store
      .all(store.query.selectFrom('log_leaf').select('line').orderBy('seq'))
      .map(({ line }) => parseLeaf(line));
  } finally {
    store.close();
  }
}

function readLogDetail(file: string, keys: ConsortiumKeys, seq: number): unknown {
  const store = openConsortiumStore({ file, key: keys.storeKey, clock: { nowMs: () => 0 } });
  try {
    const found = store.get(store.query.selectFrom('log_detail').select('detail').where('seq', '=', seq));
    return found === undefined ? undefined : JSON.parse(found.detail);
  } finally {
    store.close();
  }
}
