// The secrets a site is born with. Each kind has a key of its own (security.md E22).
import type { SiteKeys } from '#site/ports.ts';

/** Gives `length` random bytes of cryptographic strength. */
export type RandomBytes = (length: number) => Uint8Array;

/** Fresh keys for a new site, without people or research studies. */
export function createSiteKeys(random: RandomBytes): SiteKeys {
  return {
    storeKey: random(32),
    linkageKey: random(32),
    subjectKey: random(32),
    siteSigningSeed: random(32),
    siteLogSeed: random(32),
    researchStudyKeys: {},
    people: [],
  };
}
