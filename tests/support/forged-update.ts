// Makes false updates out of a genuine one, with the keys that the attacker of the test has: everything that is not changed on
// purpose stays byte for byte what the site's own pipeline made.
import { toHex, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { type Approval, approvalRecord } from '#federation/records/approval.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import type { ModelUpdate } from '#federation/records/model-update.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type OpenedUpdate, sealUpdate } from '#federation/records/sealed-update.ts';
import type { SealedHeader } from '#federation/records/transport.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { AttackedFederation, AttackedSite, SealedFile } from './attacked-federation.ts';

/** Who attacks, and what is genuine. */
export interface Attack {
  readonly federation: AttackedFederation;
  /** The site in whose name the file is sealed. */
  readonly site: AttackedSite;
  readonly opened: OpenedUpdate;
}

export interface Forgery {
  /** DSSE of the update statement; the genuine one unless said otherwise. */
  readonly update?: Uint8Array;
  readonly approvals?: readonly Uint8Array[];
  readonly payload?: Uint8Array;
  readonly header?: Partial<SealedHeader>;
  readonly recipientPublicKey?: Uint8Array;
  /** Signs the outer statement. */
  readonly signer?: SigningKey;
}

/** Seals the parts anew, as whoever has the site's signing key could. */
export async function seal({ federation, site, opened }: Attack, forgery: Forgery = {}): Promise<SealedFile> {
  const bundleId = forgery.header?.bundleId ?? toHex(systemRandom(32));
  const receiving = createReceivingKey(federation.keys.receivingSeed);
  const file = await sealUpdate({
    update: forgery.update ?? opened.updateEnvelope,
    approvals: forgery.approvals ?? opened.approvals,
    payload: forgery.payload ?? opened.payload,
    header: { ...opened.header, ...forgery.header, bundleId },
    recipientPublicKey: forgery.recipientPublicKey ?? receiving.publicKey,
    signer: forgery.signer ?? site.signing,
  });
  return { file, bundleId };
}

/** The text of the genuine update statement. */
export function statementText({ opened }: Attack): string {
  return new TextDecoder().decode(parseEnvelope(opened.updateEnvelope).payload);
}

/** The genuine statement with other claims, about `payload`. Not held against its own schema, as a liar would not. */
export function changedStatement(
  attack: Attack,
  claims: Partial<ModelUpdate>,
  payload = attack.opened.payload,
): string {
  const statement = JSON.parse(statementText(attack)) as { subject: unknown; predicate: object };
  return JSON.stringify({
    ...statement,
    subject: [{ name: 'payload', digest: { sha256: sha256Hex(payload) } }],
    predicate: { ...statement.predicate, ...claims },
  });
}

/** An approval of `statement` as the site's own steward would sign it; `claims` make it another. */
export function approve(
  { federation, site, opened }: Attack,
  statement: string,
  { signer = site.steward, ...claims }: Partial<Approval> & { readonly signer?: SigningKey } = {},
): Uint8Array {
  const { researchStudyId, round } = opened.update.predicate;
  const predicate: Approval = {
    researchStudyId,
    round,
    siteId: site.siteId,
    reportDigest: sha256Hex(utf8('report')),
    decision: 'approve',
    reason: null,
    person: site.person,
    meaning: 'I approve.',
    decidedAt: isoTime(federation.clock.nowMs()),
    ...claims,
  };
  const subjects = [{ name: 'update', digest: sha256Hex(utf8(statement)) }];
  return signStatement(encodeStatement(approvalRecord, { subjects, predicate }), [signer]);
}

/** An insider with every key of the site: other claims or tensors, signed, approved and sealed as a whole. */
export function lie(
  attack: Attack,
  change: {
    readonly claims?: Partial<ModelUpdate>;
    readonly statement?: string;
    readonly payload?: Uint8Array;
  },
): Promise<SealedFile> {
  const { payload = attack.opened.payload } = change;
  const statement = change.statement ?? changedStatement(attack, change.claims ?? {}, payload);
  return seal(attack, {
    payload,
    update: signStatement(utf8(statement), [attack.site.signing]),
    approvals: [approve(attack, statement)],
  });
}

/** The claims that go with other tensors. */
export function claimsOf(payload: Uint8Array): Pick<ModelUpdate, 'tensorManifestDigest'> {
  return {
    tensorManifestDigest: tensorManifestDigest(parseSafetensors(payload, { maxBytes: payload.length })),
  };
}
