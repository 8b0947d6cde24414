// The imaging series that a plan reads, of the subjects of a report: how many, what is wrong with them, and who has no segmentation.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { type CohortSubjects, findSeries } from '#site/cohort/index.ts';
import type { Store } from '#site/store/index.ts';
import type { FindingCode, ImagingReport, QualityFinding, Severity } from './quality-report.ts';
import { checkSeries, type SeriesImage } from './series-checks.ts';
import { showTally, Tally } from './tally.ts';

export interface ImagingSource {
  readonly store: Store;
  readonly subjects: CohortSubjects;
  /** By subject_no: 2 where the report is about it. */
  readonly standing: Uint8Array;
  readonly subjectCount: number;
}

export interface ImagingChecks {
  readonly imaging: ImagingReport[];
  readonly findings: QualityFinding[];
}

type PlannedImages = Pick<ImagingReport, 'modality' | 'bodyPart'> & { readonly needsSegmentation: boolean };

const severityOf: Partial<Record<FindingCode, Severity>> = {
  'image-size-mixed': 'note',
  'image-orientation-mixed': 'note',
};

export function checkImaging(source: ImagingSource, plan: ResearchStudyPlan): ImagingChecks {
  const checks = plannedImages(plan).map((planned) => checkPlanned(source, planned));
  return {
    imaging: checks.map(({ report }) => report),
    findings: checks.flatMap(({ findings }) => findings),
  };
}

/** The input of the model, or where it has none what criteria and index event ask for. */
function plannedImages({ imaging, dataElements }: ResearchStudyPlan): PlannedImages[] {
  const { criteria, indexEvent, label } = dataElements;
  const asked = [...criteria.include, ...criteria.exclude].filter((one) => one.kind === 'imaging');
  const isSegmentation = label.kind === 'segmentation';
  if (imaging !== null) {
    const { modality, bodyPart, series } = imaging;
    return [{ modality, bodyPart, needsSegmentation: isSegmentation || series === 'segmented' }];
  }
  const needed = asked.map(({ modality, bodyPart, isSegmented }) => ({
    modality,
    bodyPart,
    needsSegmentation: isSegmentation || isSegmented,
  }));
  if (needed.length === 0 && indexEvent.kind === 'imaging-study')
    needed.push({ modality: indexEvent.modality, bodyPart: null, needsSegmentation: isSegmentation });
  return [
    ...new Map(needed.map((one) => [JSON.stringify([one.modality, one.bodyPart]), one])).values(),
  ] as PlannedImages[];
}

function checkPlanned(
  source: ImagingSource,
  planned: PlannedImages,
): { readonly report: ImagingReport; readonly findings: QualityFinding[] } {
  const { modality, bodyPart, needsSegmentation } = planned;
  const all = new Tally();
  const faults = new Map<FindingCode, Tally>();
  const found = (code: FindingCode, subjectNo: number) => {
    const tally = faults.get(code) ?? new Tally();
    faults.set(code, tally);
    tally.add(subjectNo);
  };
  const imagesOf = source.store.prepare(
    `SELECT pixel_rows, pixel_columns, frame_count, bits_stored, row_spacing, column_spacing, orientation, position, rescale_slope
    FROM sop_instance WHERE imaging_series_no = ?`,
  );
  const segmented = needsSegmentation ? segmentedSubjects(source, planned) : undefined;
  for (const { subjectNo, imagingSeriesNo } of seriesOf(source, { ...planned, isSegmented: false })) {
    all.add(subjectNo);
    for (const fault of checkSeries(modality, imagesOf.all(imagingSeriesNo) as SeriesImage[]))
      found(fault, subjectNo);
    if (segmented?.has(subjectNo) === false) found('segmentation-missing', subjectNo);
  }
  const totals = [all.subjectCount, source.subjectCount];
  const shown = showTally(all, [source.subjectCount]);
  return {
    report: { modality, bodyPart, subjectCount: shown.subjectCount, seriesCount: shown.recordCount },
    findings: [...faults].map(([code, tally]) => ({
      code,
      severity: severityOf[code] ?? (code === 'segmentation-missing' ? 'problem' : 'warning'),
      about: bodyPart === null ? modality : `${modality} ${bodyPart}`,
      ...showTally(tally, totals),
      detail: '',
    })),
  };
}

function segmentedSubjects(source: ImagingSource, planned: PlannedImages): Set<number> {
  return new Set([...seriesOf(source, { ...planned, isSegmented: true })].map(({ subjectNo }) => subjectNo));
}

function* seriesOf(
  { store, subjects, standing }: ImagingSource,
  {
    modality,
    bodyPart,
    isSegmented,
  }: Pick<ImagingReport, 'modality' | 'bodyPart'> & { isSegmented: boolean },
): Generator<{ readonly subjectNo: number; readonly imagingSeriesNo: number }> {
  for (const { standingNo, imagingSeriesNo } of findSeries(store, subjects, {
    modality,
    bodyPart,
    isSegmented,
  }))
    if (standing[standingNo] === 2) yield { subjectNo: standingNo, imagingSeriesNo };
}
