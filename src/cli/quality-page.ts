// A data-quality report as a page: what to fix first, then how complete, how distributed, in which codes, units and images.
import type { Chart, ReportSection, ReportTable } from '#bench/report/index.ts';
import type { QualityFeature, QualityFinding, QualityReport } from '#ipc/quality-schema.ts';
import { type QualityWords, shownCount, shownPatients } from '#ipc/quality-words.ts';
import type { QualityPageWords } from '#ipc/quality-words-english.ts';

/** Sections of the page, in the order in which they are read. */
export function qualitySections(report: QualityReport, words: QualityWords): ReportSection[] {
  const { page } = words;
  const histograms = report.features.flatMap((feature) => histogramChart(feature, page));
  return [
    ...findingSections(report.findings, words),
    {
      heading: page.completeness,
      charts: report.features.length === 0 ? [] : [completenessChart(report.features, page)],
      tables: [featureTable(report.features, page)],
    },
    ...(histograms.length === 0 ? [] : [{ heading: page.distributions, charts: histograms }]),
    { heading: page.codes, tables: [codeTable(report.codes, page)] },
    ...(report.imaging.length === 0
      ? []
      : [{ heading: page.imaging, tables: [imagingTable(report.imaging, page)] }]),
  ];
}

/** One section for each kind of finding: its words stand once, whatever it is about. */
function findingSections(findings: readonly QualityFinding[], words: QualityWords): ReportSection[] {
  const { page } = words;
  if (findings.length === 0) return [{ heading: page.findings, paragraphs: [page.none] }];
  return [...Map.groupBy(findings, ({ code }) => code)].map(([code, group]) => {
    const { title, means, fix } = words.findings[code] ?? { title: code, means: code, fix: code };
    return {
      heading: title,
      paragraphs: [means, page.fix.replace('{fix}', () => fix)],
      tables: [
        {
          caption: page.found,
          columns: [page.about, page.severity, page.patients, page.records, page.detail],
          rows: group.map((one) => [
            one.about,
            page[one.severity],
            shownPatients(one, page),
            one.recordCount === null ? '–' : one.recordCount,
            one.detail === '' ? '–' : one.detail,
          ]),
        },
      ],
    };
  });
}

function completenessChart(features: readonly QualityFeature[], page: QualityPageWords): Chart {
  return {
    kind: 'parts',
    caption: page.completeness,
    parts: [page.present, page.unitNotConvertible, page.missing],
    rows: features.map(({ name, presentCount, missingCount, unitNotConvertibleCount }) => {
      if (presentCount === null || missingCount === null || unitNotConvertibleCount === null)
        return { label: name, counts: undefined, note: page.withheld };
      const total = presentCount + missingCount + unitNotConvertibleCount;
      // Rounded down: 100 % says that nobody lacks the value.
      const percent = total === 0 ? 0 : Math.floor((100 * presentCount) / total);
      return {
        label: name,
        counts: [presentCount, unitNotConvertibleCount, missingCount],
        note: `${percent} %`,
      };
    }),
  };
}

function histogramChart({ name, unit, histogram }: QualityFeature, page: QualityPageWords): Chart[] {
  if (histogram === null) return [];
  const caption = page.distribution.replace('{name}', () => (unit === null ? name : `${name} (${unit})`));
  const bins = histogram.map(({ from, until, subjectCount: count }) => {
    const label = from === null ? `< ${until}` : until === null ? `≥ ${from}` : `${from}–${until}`;
    return { label, count };
  });
  return [{ kind: 'histogram', caption, bins }];
}

function featureTable(features: readonly QualityFeature[], page: QualityPageWords): ReportTable {
  return {
    caption: page.completeness,
    columns: [
      page.name,
      page.unit,
      page.present,
      page.missing,
      page.unitNotConvertible,
      page.flagged,
      page.constant,
    ],
    rows: features.map((one) => [
      one.name,
      one.unit ?? '–',
      shownCount(one.presentCount, page),
      shownCount(one.missingCount, page),
      shownCount(one.unitNotConvertibleCount, page),
      shownCount(one.flaggedCount, page),
      one.isConstant ? page.yes : '–',
    ]),
  };
}

function codeTable(codes: QualityReport['codes'], page: QualityPageWords): ReportTable {
  const rows = codes.flatMap(({ display, code, subjectCount, factCount, units }) => [
    [display, code, '', shownCount(subjectCount, page), shownCount(factCount, page)],
    ...units.map((one) => [
      display,
      code,
      one.unit,
      shownCount(one.subjectCount, page),
      shownCount(one.factCount, page),
    ]),
  ]);
  return {
    caption: page.codes,
    columns: [page.name, page.code, page.unit, page.patients, page.records],
    rows,
  };
}

function imagingTable(imaging: QualityReport['imaging'], page: QualityPageWords): ReportTable {
  return {
    caption: page.imaging,
    columns: [page.modality, page.patients, page.series],
    rows: imaging.map(({ modality, bodyPart, subjectCount, seriesCount }) => [
      bodyPart === null ? modality : `${modality} ${bodyPart}`,
      shownCount(subjectCount, page),
      shownCount(seriesCount, page),
    ]),
  };
}
