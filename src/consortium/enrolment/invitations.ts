// One-time invitations: 128 bits from the system's generator, seven days, one use (security.md E25). Only a digest is kept.
import { toBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import type { Foundation } from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { identifier, plainText } from '#federation/records/fields.ts';
import { encodeInvitation } from '#federation/sync-contract/invitation.ts';
import { EnrolmentError } from './enrolment-error.ts';

const CODE_BYTES = 16;
const INVITATION_DAYS = 7;
const dayMs = 24 * 60 * 60 * 1000;

export interface InvitationRequest {
  readonly siteId: string;
  /** The hospital's name. */
  readonly name: string;
}

export interface MadeInvitation extends InvitationRequest {
  /** The text to hand to the hospital. It is a secret until it is used. */
  readonly invitation: string;
  readonly expires: string;
}

/** Where the invitation sends the site, and what the site pins. */
export interface Reachability {
  /** https URL of the consortium. */
  readonly url: string;
  readonly certificateDigest: string;
}

/**
 * Makes an invitation for a site that is not enrolled.
 * @throws EnrolmentError BAD_REQUEST, SITE_ALREADY_ENROLLED.
 */
export function createInvitation(
  { store, signers, log }: Foundation,
  reachability: Reachability,
  { siteId, name }: InvitationRequest,
): MadeInvitation {
  if (!identifier.safeParse(siteId).success || !plainText(200).safeParse(name).success) {
    throw new EnrolmentError(
      'BAD_REQUEST',
      'A site id is made of a-z, 0-9, - and _; a name has up to 200 characters.',
    );
  }
  const code = systemRandom(CODE_BYTES);
  const nowMs = store.clock.nowMs();
  const expires = isoTime(nowMs + INVITATION_DAYS * dayMs);
  store.transaction(() => {
    const enrolled = store.get(
      store.query.selectFrom('site').select('site_id').where('site_id', '=', siteId),
    );
    if (enrolled !== undefined) throw siteAlreadyEnrolled(siteId);
    const row = {
      code_digest: sha256Hex(code),
      site_id: siteId,
      name,
      created_at: isoTime(nowMs),
      expires_at: expires,
      used_at: null,
      request_digest: null,
    };
    store.run(store.query.insertInto('invitation').values(row));
    log.append({
      actor: 'operator',
      action: 'site-invited',
      outcome: 'success',
      object: `site:${siteId}`,
      detail: { expires },
    });
  });
  const rootPublicKey = toBase64(signers.root.publicKey);
  const invitation = encodeInvitation({
    ...reachability,
    rootPublicKey,
    code: toBase64(code),
    siteId,
    name,
    expires,
  });
  return { invitation, siteId, name, expires };
}

export function siteAlreadyEnrolled(siteId: string): EnrolmentError {
  return new EnrolmentError('SITE_ALREADY_ENROLLED', 'A site with this id is enrolled.', {
    details: { siteId },
  });
}
