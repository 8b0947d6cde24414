// Made-up keys of a site, each recognisable by its bytes.
import type { SiteKeys } from '#site/site.ts';

const filled = (value: number, length = 32) => new Uint8Array(length).fill(value);

export const sampleSiteKeys: SiteKeys = {
  storeKey: filled(1),
  linkageKey: filled(2),
  subjectKey: filled(3),
  siteSigningSeed: filled(4),
  siteLogSeed: filled(5),
  researchStudyKeys: { 'heart-disease': filled(6) },
  people: [
    {
      name: 'Ada Steward',
      scrypt: { N: 131072, r: 8, p: 1, salt: filled(7, 16) },
      sealedSeed: filled(8, 60),
    },
  ],
};
