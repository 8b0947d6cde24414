// The cohort definitions that ship with the program select the patients of their data: the 740 rows of the heart study's split, and
// the 55 patients with a segmented brain tumour, where CONSILIUM_DATA names the folder that holds them.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dataElements } from '#federation/records/data-elements.ts';
import { imagingInput } from '#federation/records/imaging-input.ts';
import { type ResearchStudyPlan, researchStudyPlan } from '#federation/records/research-study-plan.ts';
import { openCohorts, readPreview } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { type IngestSite, openIngestSite, siteKeys } from '#support/ingest-site.ts';
import { addConsent, createTestPlan, frozenCohorts, plainDays } from '#support/stored-subjects.ts';
import { makeHeartExports } from '../../scripts/make-heart-exports.ts';

const actor = { name: 'Ina Vest', role: 'investigator' } as const;
const assetsOf = (name: string) =>
  fileURLToPath(new URL(`../../assets/research-studies/${name}`, import.meta.url));

let site: IngestSite | undefined;
afterEach(() => {
  site?.close();
  site = undefined;
});

function sourceOf({ store, auditLog }: IngestSite) {
  const ages = openSubjectRegistry({ store, keys: siteKeys });
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
  return { store, auditLog, consents, ages, pseudonymKey: () => new Uint8Array(32).fill(7) };
}

const previewOf = (of: IngestSite, plan: ResearchStudyPlan) => readPreview(sourceOf(of), plan);

describe('the heart study’s definition', () => {
  const exports = mkdtempSync(path.join(tmpdir(), 'consilium-heart-'));
  afterAll(() => rmSync(exports, { recursive: true }));
  const plan = researchStudyPlan.parse(JSON.parse(readFileSync(assetsOf('heart/plan.json'), 'utf8')));
  const split = readFileSync(assetsOf('heart/heart_flamby_split.csv'), 'utf8').trim().split('\n').slice(1);
  const rowsOf = (hospital: string, part: string) =>
    split.filter((row) => row.split(',')[1] === hospital && row.split(',')[3] === part).length;
  const made = makeHeartExports(exports);

  it.each([
    ['cleveland', 'cleveland'],
    ['hungary', 'hungarian'],
    ['switzerland', 'switzerland'],
    ['long-beach', 'va'],
  ])('selects the rows of %s in FLamby’s split, of other rows nobody', async (siteId, hospital) => {
    const folder = made.find((one) => one.siteId === siteId)?.folder ?? '';
    site = openIngestSite();
    const mapping = path.join(folder, 'mapping.json');
    await site.importPaths([folder], existsSync(mapping) ? readFileSync(mapping, 'utf8') : null);
    const { selection } = previewOf(site, {
      ...plan,
      minimumCohort: { ...plan.minimumCohort, training: 5, evaluation: 5 },
    });
    expect([selection.trainingCount, selection.holdoutCount]).toEqual([
      rowsOf(hospital, 'train'),
      rowsOf(hospital, 'test'),
    ]);
  });

  it('selects 740 rows of all four together', () => {
    expect(split).toHaveLength(740);
    expect(made.flatMap(({ patients }) => patients).length).toBeGreaterThan(740);
  });
});

const images = path.join(process.env.CONSILIUM_DATA ?? '', 'lgg-mri');
const hasImages = process.env.CONSILIUM_DATA !== undefined && existsSync(images);
if (!hasImages)
  process.stderr.write(
    'the tumour cohort is not tested: CONSILIUM_DATA does not name a folder with lgg-mri\n',
  );

describe('the tumour study’s definition', () => {
  const shipped = z
    .strictObject({ dataElements, imaging: imagingInput })
    .parse(JSON.parse(readFileSync(assetsOf('tumour/cohort-definition.json'), 'utf8')));
  const plan: ResearchStudyPlan = createTestPlan(shipped);

  it.runIf(hasImages).each([
    ['CS', 8],
    ['DU', 23],
    ['FG', 7],
    ['HT', 17],
  ])(
    'selects every patient of %s, a quarter of them to test with',
    async (hospital, patientCount) => {
      site = openIngestSite();
      await site.importPaths([path.join(images, hospital)]);
      const { store } = site;
      const subjects = store.all(store.query.selectFrom('subject').select('subject_id'));
      for (const { subject_id: subjectId } of subjects) addConsent(store, subjectId);
      // Frozen, because a preview of so few withholds its counts.
      openCohorts(sourceOf(site)).freeze({ plan: smallest(plan), round: 1, kind: 'training', actor });
      const members = frozenCohorts(store).at(0)?.members ?? [];
      const holdout = members.filter(({ part }) => part === 'holdout').length;
      expect([members.length, holdout]).toEqual([patientCount, Math.round(patientCount / 4)]);
      expect(subjects).toHaveLength(patientCount);
    },
    120_000,
  );

  it.runIf(hasImages)(
    'leaves out whose images nobody segmented, and whose consent permits data of other days only',
    async () => {
      site = openIngestSite();
      await site.importPaths([path.join(images, 'DU')]);
      const { store } = site;
      const subjects = store.all(
        store.query.selectFrom('subject').select(['subject_id', 'subject_no']).orderBy('subject_no'),
      );
      for (const { subject_id: subjectId } of subjects) addConsent(store, subjectId);
      for (const { subject_no: subjectNo } of subjects.slice(0, 6))
        store
          .prepare(
            `DELETE FROM segmentation_source WHERE sop_instance_no IN (SELECT sop_instance_no FROM sop_instance
            JOIN imaging_series USING (imaging_series_no) JOIN imaging_study USING (imaging_study_no) WHERE subject_no = ?)`,
          )
          .run(subjectNo);
      for (const { subject_id: subjectId } of subjects.slice(6, 13)) permitLaterDays(site, subjectId);
      expect(previewOf(site, smallest(plan)).selection).toMatchObject({
        subjectCount: 23,
        excluded: [
          { reason: 'no-index-event', count: 7 },
          { reason: 'criterion-not-met', count: 6 },
        ],
      });
    },
    120_000,
  );

  it.runIf(hasImages)('adds up to the 55 patients of the folder', () => {
    const manifest = readFileSync(path.join(images, 'manifest.csv'), 'utf8').trim().split('\n').slice(1);
    expect(new Set(manifest.map((row) => row.split(',')[2])).size).toBe(8 + 23 + 7 + 17);
  });
});

/** The subject's consent says: data of days in the future, and no others (C5). */
function permitLaterDays({ store }: IngestSite, subjectId: string): void {
  const open = { fromDay: null, untilDay: null, dataFromDay: null, dataUntilDay: null, notUnderstood: false };
  const lists = { purposes: [], actors: [], classes: [], codes: [], securityLabels: [], actions: [] };
  const permit = { ...open, ...lists, type: 'permit', dataFromDay: 30_000, children: [] };
  const provision = { base: 'deny', root: { ...open, ...lists, type: null, children: [permit] } };
  store.run(
    store.query
      .updateTable('consent')
      .set({ provision: JSON.stringify(provision) })
      .where('subject_id', '=', subjectId),
  );
}

function smallest(plan: ResearchStudyPlan): ResearchStudyPlan {
  return { ...plan, minimumCohort: { ...plan.minimumCohort, training: 5 } };
}
