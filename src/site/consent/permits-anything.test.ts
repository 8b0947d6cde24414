// Whether anything is left that permits a subject's data to somebody: what nothing permits may be erased for good (security.md C10).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ndjson, researchConsent } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { openConsents } from './index.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
  const accepted = { plan_digest: '', envelope: new Uint8Array(), accepted_at: '2026-11-01T00:00:00.000Z' };
  const row = { research_study_id: 'trial', plan_version: 1, ...accepted };
  site.store.run(site.store.query.insertInto('research_study').values(row));
});
afterEach(() => site.close());

function consents() {
  const { store, auditLog, subjects: days } = site;
  const terms = { purposes: ['CLINTRL'] };
  const termsOf = (researchStudyId: string) => (researchStudyId === 'trial' ? terms : undefined);
  return openConsents({ store, auditLog, days, termsOf, linkageKey: siteKeys.linkageKey });
}

const actors = (...names: string[]) =>
  names.map((value) => ({
    reference: { identifier: { system: 'https://consilium.example/fhir/research-study', value } },
  }));
const purposes = (code: string) => [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code }];
const images = [{ system: 'http://hl7.org/fhir/resource-types', code: 'ImagingStudy' }];

describe('who refused one research study', () => {
  it.each<[string, object[], boolean]>([
    ['everything to all', [{ type: 'permit' }], true],
    ['to two by name', [{ type: 'permit', actor: actors('heart', 'brain') }], true],
    [
      'to one by name, without images',
      [{ type: 'permit', actor: actors('heart'), provision: [{ type: 'deny', class: images }] }],
      true,
    ],
    ['for the purpose of a plan that is here', [{ type: 'permit', purpose: purposes('CLINTRL') }], true],
    ['for a purpose of no plan', [{ type: 'permit', purpose: purposes('HMARKT') }], false],
    ['to that one alone', [{ type: 'permit', actor: actors('lungs') }], false],
  ])('and consented %s', async (_, provision, permits) => {
    const lungs = { provision: { provision: [{ type: 'permit', actor: actors('lungs') }] } };
    await site.importFiles({
      'c.ndjson': ndjson(
        researchConsent({ provision: { provision } }),
        researchConsent({ id: 'l', ...lungs }),
      ),
    });
    const subjectId = site.store.prepareColumn('SELECT subject_id FROM subject').get() as string;
    const { awaitsErasure } = consents().withdraw({ subjectId, researchStudyId: 'lungs' }, steward);
    expect({ permits: consents().permitsAnything(subjectId), awaitsErasure }).toEqual({
      permits,
      awaitsErasure: !permits,
    });
  });
});
