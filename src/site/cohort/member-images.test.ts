import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConsents } from '#site/consent/index.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { type IngestSite, openIngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { addSeries, slices } from '#support/stored-images.ts';
import { addConsent, createTestPlan, plainDays } from '#support/stored-subjects.ts';
import { openCohorts } from './index.ts';

const elements = createTestPlan().dataElements;
const plan = createTestPlan({
  minimumCohort: { training: 1, evaluation: 1, reason: 'a test' },
  dataElements: {
    ...elements,
    indexEvent: { kind: 'imaging-study', modality: 'MR', which: 'first' },
    split: { kind: 'keyed', holdoutPercent: 20, stratifyBy: 'nothing' },
    features: [],
    label: { kind: 'segmentation', name: 'tumour' },
  },
  imaging: {
    modality: 'MR',
    bodyPart: null,
    series: 'segmented',
    rows: 64,
    columns: 64,
    intensityPercentile: 99,
  },
});
const names = ['A', 'B', 'C', 'D'];
const day = 20_000;

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
  const { store } = site;
  for (const name of names) {
    store.run(
      store.query.insertInto('subject').values({ subject_id: name, added_at: '2026-11-01T00:00:00.000Z' }),
    );
    addConsent(store, name);
    addSeries(store, name, { series: { images: slices(3), isSegmented: true }, day });
  }
});
afterEach(() => site.close());

/** Series and segmentations of all members, patient by patient. */
function imagesOf(): string[] {
  const { store, auditLog } = site;
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
  const ages = openSubjectRegistry({ store, keys: siteKeys });
  const pseudonymKey = () => new Uint8Array(32).fill(7);
  const cohorts = openCohorts({ store, auditLog, consents, ages, pseudonymKey });
  const frozen = cohorts.freeze({ plan, round: 1, kind: 'training', actor: steward });
  return [...frozen.images('training'), ...frozen.images('holdout')]
    .flatMap(({ series }) =>
      series.map(
        (one) => `${one.imagingSeriesNo}: ${one.imageCount} images, segmented by ${one.segmentationNos}`,
      ),
    )
    .sort();
}

/** A consent to data of these days; of these classes, where some are named. */
const permitDays = (
  dataFromDay: number | null,
  dataUntilDay: number | null,
  classes: readonly string[] = [],
) => {
  const open = { fromDay: null, untilDay: null, dataFromDay: null, dataUntilDay: null, notUnderstood: false };
  const lists = { purposes: [], actors: [], classes: [], codes: [], securityLabels: [], actions: [] };
  const permit = { ...open, ...lists, type: 'permit', dataFromDay, dataUntilDay, classes, children: [] };
  return JSON.stringify({ base: 'deny', root: { ...open, ...lists, type: null, children: [permit] } });
};

function limit(subjectId: string, provision: string): void {
  const { store } = site;
  store.run(store.query.updateTable('consent').set({ provision }).where('subject_id', '=', subjectId));
}

const whole = [
  '1: 3 images, segmented by 1',
  '2: 3 images, segmented by 4',
  '3: 3 images, segmented by 7',
  '4: 3 images, segmented by 10',
];

describe('the images of a cohort’s members', () => {
  it('are their segmented series, each with its images counted and its segmentations', () => {
    expect(imagesOf()).toEqual(whole);
  });

  it('are without a series of days that consent leaves out (C5)', () => {
    addSeries(site.store, 'B', { series: { images: slices(2), isSegmented: true }, day: day + 50 });
    limit('B', permitDays(day - 10, day + 10));
    expect(imagesOf()).toEqual(whole);
    limit('B', permitDays(day + 10, null));
    expect(imagesOf()).toEqual(whole.with(1, '5: 2 images, segmented by 13').sort());
  });

  it('are none of whoever permits other data than images (C5)', () => {
    const resources = 'http://hl7.org/fhir/resource-types';
    limit('B', permitDays(null, null, [`${resources}|ImagingStudy`]));
    expect(imagesOf()).toEqual(whole);
    limit('B', permitDays(null, null, [`${resources}|Observation`]));
    expect(imagesOf()).toEqual(whole.toSpliced(1, 1));
  });

  it('are without a series that has one image of such a day, though its imaging study began before', () => {
    limit('B', permitDays(null, day));
    expect(imagesOf()).toEqual(whole);
    site.store.prepare('UPDATE sop_instance SET day = ? WHERE sop_instance_no = 5').run(day + 1);
    expect(imagesOf()).toEqual(whole.toSpliced(1, 1));
    limit('B', permitDays(null, day + 1));
    expect(imagesOf()).toEqual(whole);
  });

  it('are not segmented by what somebody drew on a day that consent leaves out', () => {
    const { store } = site;
    addSeries(store, 'B', { series: { modality: 'SEG', images: slices(1) }, day: day + 99 });
    // Of B's series, drawn on later, and not by its own first image.
    store.prepare('DELETE FROM segmentation_source WHERE sop_instance_no = 4').run();
    store
      .prepare(
        `INSERT INTO segmentation_source SELECT 13, 0, sop_instance_uid, 0 FROM sop_instance WHERE sop_instance_no = 5`,
      )
      .run();
    expect(imagesOf()).toEqual(whole.with(1, '2: 3 images, segmented by 13'));
    limit('B', permitDays(null, day + 10));
    expect(imagesOf()).toEqual(whole.toSpliced(1, 1));
  });

  it('are not segmented by another patient’s file', () => {
    const { store } = site;
    store.prepare('DELETE FROM segmentation_source WHERE sop_instance_no = 4').run();
    store
      .prepare(
        `INSERT INTO segmentation_source SELECT 1, 0, sop_instance_uid, 0 FROM sop_instance WHERE sop_instance_no = 5`,
      )
      .run();
    expect(imagesOf()).toEqual(whole.toSpliced(1, 1));
  });

  it('are those of both where two patients turn out to be one', () => {
    site.store.prepare(`UPDATE subject SET survivor_no = 1 WHERE subject_id = 'B'`).run();
    expect(imagesOf()).toEqual(whole);
    expect(site.store.prepare(`SELECT count(*) AS count FROM cohort_member`).get()).toEqual({ count: 3 });
  });
});
