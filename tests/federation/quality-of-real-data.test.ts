// What is known of the heart study's four hospitals and of the tumour images is what the data-quality report says of them: the images
// where CONSILIUM_DATA names the folder that holds them.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dataElements } from '#federation/records/data-elements.ts';
import { imagingInput } from '#federation/records/imaging-input.ts';
import { type ResearchStudyPlan, researchStudyPlan } from '#federation/records/research-study-plan.ts';
import { readCandidates } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { type QualityReport, readQualityReport } from '#site/quality/index.ts';
import { type IngestSite, openIngestSite, siteKeys } from '#support/ingest-site.ts';
import { addConsent, createTestPlan, plainDays } from '#support/stored-subjects.ts';
import { makeHeartExports } from '../../scripts/make-heart-exports.ts';

const assetsOf = (name: string) =>
  fileURLToPath(new URL(`../../assets/research-studies/${name}`, import.meta.url));

let site: IngestSite | undefined;
afterEach(() => {
  site?.close();
  site = undefined;
});

function reportOf({ store, auditLog, subjects }: IngestSite, plan: ResearchStudyPlan): QualityReport {
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
  const pseudonymKey = () => new Uint8Array(32).fill(7);
  const source = { store, consents, ages: subjects, pseudonymKey };
  const candidates = (other: ResearchStudyPlan) => readCandidates(source, other);
  return readQualityReport({ store, registry: subjects, candidates }, plan);
}

describe('the heart study’s data', () => {
  const exports = mkdtempSync(path.join(tmpdir(), 'consilium-heart-'));
  afterAll(() => rmSync(exports, { recursive: true }));
  const plan = researchStudyPlan.parse(JSON.parse(readFileSync(assetsOf('heart/plan.json'), 'utf8')));
  const made = makeHeartExports(exports);

  it.each<[string, readonly string[]]>([
    // One patient's 564 mg/dL.
    ['cleveland', ['value-far-out chol - -79 – 561 mg/dL']],
    // 294 patients, 23 of them without cholesterol; the split has the 261 that are complete.
    [
      'hungary',
      [
        'value-far-out chol - -108 – 592 mg/dL',
        'code-missing-outside Part of the split a patient is in 33',
        'code-missing-outside Systolic blood pressure -',
        'code-missing-outside Cholesterol [Mass/volume] in Serum or Plasma 23',
        'code-missing-outside Fasting blood sugar above 120 mg/dL 8',
        'code-missing-outside Maximum heart rate under exercise -',
        'code-missing-outside Angina under exercise -',
        'code-missing-outside Resting electrocardiogram -',
      ],
    ],
    // Every cholesterol is 0.
    [
      'switzerland',
      [
        'value-negative oldpeak - mm',
        'value-flagged chol 46',
        'column-constant chol -',
        'code-missing-outside Part of the split a patient is in 77',
        'code-missing-outside Systolic blood pressure -',
        'code-missing-outside Fasting blood sugar above 120 mg/dL -',
        'code-missing-outside Maximum heart rate under exercise -',
        'code-missing-outside Angina under exercise -',
        'code-missing-outside ST depression under exercise relative to rest 6',
        'code-missing-outside Resting electrocardiogram -',
      ],
    ],
    [
      'long-beach',
      [
        'value-negative oldpeak - mm',
        'value-flagged chol 33',
        'value-flagged trestbps -',
        'code-missing-outside Part of the split a patient is in 70',
        'code-missing-outside Systolic blood pressure 56',
        'code-missing-outside Cholesterol [Mass/volume] in Serum or Plasma 7',
        'code-missing-outside Fasting blood sugar above 120 mg/dL 7',
        'code-missing-outside Maximum heart rate under exercise 53',
        'code-missing-outside Angina under exercise 53',
        'code-missing-outside ST depression under exercise relative to rest 56',
      ],
    ],
  ])('of %s has what is known of it', async (siteId, expected) => {
    const folder = made.find((one) => one.siteId === siteId)?.folder ?? '';
    site = openIngestSite();
    const mapping = path.join(folder, 'mapping.json');
    await site.importPaths([folder], existsSync(mapping) ? readFileSync(mapping, 'utf8') : null);
    const report = reportOf(site, plan);
    const found = report.findings.map(({ code, about, subjectCount, detail }) =>
      `${code} ${about} ${subjectCount ?? '-'} ${detail}`.trim(),
    );
    expect(found).toEqual(expected);
  });
});

const images = path.join(process.env.CONSILIUM_DATA ?? '', 'lgg-mri');
const hasImages = process.env.CONSILIUM_DATA !== undefined && existsSync(images);
if (!hasImages)
  process.stderr.write(
    'the quality of the tumour images is not tested: CONSILIUM_DATA does not name a folder with lgg-mri\n',
  );

describe('the tumour study’s images', () => {
  const shipped = z
    .strictObject({ dataElements, imaging: imagingInput })
    .parse(JSON.parse(readFileSync(assetsOf('tumour/cohort-definition.json'), 'utf8')));
  const plan = createTestPlan(shipped);

  // The folder has the slices with tumour and every third or so of the others: each series has gaps, and nothing else is wrong.
  it.runIf(hasImages).each([
    ['DU', 23, 25],
    ['HT', 17, 19],
    ['CS', 8, 10],
    ['FG', 7, 9],
  ])(
    'of %s lack slices in every series, and nothing else',
    async (hospital, patientCount, seriesCount) => {
      site = openIngestSite();
      await site.importPaths([path.join(images, hospital)]);
      const { store } = site;
      const subjects = store.all(store.query.selectFrom('subject').select('subject_id'));
      for (const { subject_id: subjectId } of subjects) addConsent(store, subjectId);
      const { imaging, findings, subjectCount } = reportOf(site, plan);
      expect(subjectCount).toBe(patientCount);
      expect(imaging).toEqual([{ modality: 'MR', bodyPart: null, subjectCount: patientCount, seriesCount }]);
      expect(findings).toEqual([
        {
          code: 'image-slices-missing',
          severity: 'warning',
          about: 'MR',
          subjectCount: patientCount,
          recordCount: seriesCount,
          detail: '',
        },
      ]);
    },
    120_000,
  );
});
