// A site with patients of the tumour study, where CONSILIUM_DATA names the folder that holds them, and its images as examples.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dataElements } from '#federation/records/data-elements.ts';
import { imagingInput } from '#federation/records/imaging-input.ts';
import { type FrozenCohort, openCohorts } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { type ExampleSource, openExampleSource } from '#site/imaging/index.ts';
import { type IngestSite, openIngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { addConsent, createTestPlan, plainDays } from '#support/stored-subjects.ts';

/** Patients by hospital, as DICOM. */
export const tumourData = path.join(process.env.CONSILIUM_DATA ?? '', 'lgg-mri');
export const hasTumourData = process.env.CONSILIUM_DATA !== undefined && existsSync(tumourData);

const definition = fileURLToPath(
  new URL('../../assets/research-studies/tumour/cohort-definition.json', import.meta.url),
);
const shipped = z
  .strictObject({ dataElements, imaging: imagingInput })
  .parse(JSON.parse(readFileSync(definition, 'utf8')));

/** A site that has taken in some patients' folders, in this order, all of whom consent. The caller closes it. */
export async function openTumourSite(folders: readonly string[]): Promise<IngestSite> {
  const site = openIngestSite();
  for (const folder of folders) await site.importPaths([folder]);
  const { store } = site;
  for (const row of store.all(store.query.selectFrom('subject').select('subject_id')))
    addConsent(store, row.subject_id);
  return site;
}

function freeze({ store, auditLog }: IngestSite, size: number): FrozenCohort {
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
  const ages = openSubjectRegistry({ store, keys: siteKeys });
  const pseudonymKey = () => new Uint8Array(32).fill(7);
  const plan = createTestPlan({
    ...shipped,
    minimumCohort: { training: 1, evaluation: 1, reason: 'a test' },
    imaging: { ...shipped.imaging, rows: size, columns: size },
  });
  return openCohorts({ store, auditLog, consents, ages, pseudonymKey }).freeze({
    plan,
    round: 1,
    kind: 'training',
    actor: steward,
  });
}

/** Slices and masks of a part of the shipped cohort. The caller closes it. @param size rows and columns of an input */
export function openTumourExamples(
  site: IngestSite,
  size: number,
  part: 'training' | 'holdout',
): Promise<ExampleSource> {
  return openExampleSource({
    store: site.store,
    folder: path.join(site.folder, 'profile', 'objects'),
    members: freeze(site, size).images(part),
    imaging: { ...shipped.imaging, rows: size, columns: size },
    hasMasks: true,
    minimumUnits: 1,
    threadCount: 2,
  });
}

/** All examples, in batches. */
export function* inOrder(source: ExampleSource, batchSize = 7): Generator<Int32Array> {
  for (let first = 0; first < source.count; first += batchSize)
    yield Int32Array.from({ length: Math.min(batchSize, source.count - first) }, (_, at) => first + at);
}
