// A site that has joined the in-memory consortium, with a steward and an open first round.
import { toBase64 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import { type Agreement, openAgreement } from '#site/agreement/index.ts';
import { systemActor } from '#site/audit/index.ts';
import { samplePlan } from './sample-plan.ts';
import { seededRandom } from './seeded-random.ts';
import { createSignedConsortium, type SignedConsortium } from './signed-consortium.ts';
import { createSiteFoundation, type SiteFoundation } from './site-foundation.ts';

export const siteId = 'cleveland';
export const ada = { name: 'Ada Steward', role: 'steward' } as const;
export const ben = { name: 'Ben Clerk', role: 'investigator' } as const;
/** People's keys without the half second of scrypt that `people.add` takes. */
export const personKeys = {
  ada: createSigningKey(seededRandom('ada')(32)),
  ben: createSigningKey(seededRandom('ben')(32)),
};

export const initialTensors = encodeSafetensors(createInitialWeights(samplePlan.model));
export const initialDigest = sha256Hex(initialTensors);

export interface EnrolledSite extends SiteFoundation {
  readonly agreement: Agreement;
  readonly consortium: SignedConsortium;
  readonly planDigest: string;
}

export interface EnrolledSiteOptions {
  readonly file?: string;
  readonly withRound?: boolean;
  /** What the plan has otherwise than the sample plan. */
  readonly plan?: Partial<ResearchStudyPlan>;
}

/** Enrolled, with the sample plan accepted; `withRound` also opens round 1 on the initial model. */
export function createEnrolledSite({
  file = ':memory:',
  withRound = true,
  plan = {},
}: EnrolledSiteOptions = {}): EnrolledSite {
  const site = createSiteFoundation(siteId, file);
  const consortium = createSignedConsortium(site.clock);
  addPerson(site, ada, personKeys.ada.publicKey);
  addPerson(site, ben, personKeys.ben.publicKey);
  consortium.trust('site-signing', site.people.siteSigner(), { siteId });
  consortium.trust('site-log', site.people.logSigner(), { siteId });
  consortium.trust('steward', personKeys.ada, { siteId, person: ada.name });
  const agreement = openAgreement(site);
  const settings = {
    siteId,
    consortium: 'Test consortium',
    url: 'https://consortium.example:8443',
    certificateDigest: 'c'.repeat(64),
    rootPublicKey: toBase64(consortium.keys.root.publicKey),
  };
  agreement.recordEnrolment(settings, consortium.trustList().envelope, systemActor);
  const { planDigest } = agreement.acceptPlan(consortium.plan(plan).envelope, systemActor);
  if (withRound) {
    agreement.acceptRound(
      consortium.round({ planDigest, baseModelDigest: initialDigest }).envelope,
      systemActor,
    );
  }
  return { ...site, agreement, consortium, planDigest };
}

function addPerson(
  { store }: SiteFoundation,
  person: { name: string; role: string },
  publicKey: Uint8Array,
): void {
  const row = { ...person, public_key: toBase64(publicKey), added_at: '2026-11-01T00:00:00.000Z' };
  store.run(store.query.insertInto('person').values(row));
}
