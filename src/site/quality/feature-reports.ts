// Completeness of each feature and of the label over the subjects of a report, with a histogram of quantities.
import type {
  DataElements,
  FeatureSpecification,
  LabelSpecification,
} from '#federation/records/data-elements.ts';
import { type Column, SUPPRESSION_LIMIT, type SubjectTable, suppressCells } from '#site/cohort/index.ts';
import { measureColumn } from '#site/statistics/index.ts';
import { createHistogram } from './histogram.ts';
import type { FeatureReport, QualityFinding } from './quality-report.ts';
import { showPart } from './tally.ts';

/** From this share of missing values on, something is wrong with the source rather than with single patients. */
const problemShare = 0.2;

/** The elements with nothing in place of missing values: a report is on what is there. */
export function withoutFilling(elements: DataElements): DataElements {
  const features = elements.features.map((one) =>
    one.kind === 'occurrence' ? one : { ...one, whenMissing: null },
  );
  return { ...elements, features };
}

export function describeColumns(
  { features, label }: DataElements,
  table: SubjectTable,
  rows: Int32Array,
): FeatureReport[] {
  const found = features.map((feature, at) =>
    describeColumn(feature, { column: table.features[at] ?? table.label, rows, role: 'feature' }),
  );
  if (table.hasLabel) found.push(describeColumn(label, { column: table.label, rows, role: 'label' }));
  return found;
}

interface ReportColumn {
  readonly column: Column;
  readonly rows: Int32Array;
  readonly role: FeatureReport['role'];
}

function describeColumn(
  specification: FeatureSpecification | LabelSpecification,
  { column, rows, role }: ReportColumn,
): FeatureReport {
  const values = Float64Array.from(rows, (row) => column.values[row] ?? Number.NaN);
  const refused = rows.reduce((count, row) => count + Number(column.unitRefusals.has(row)), 0);
  const isQuantity = specification.kind === 'quantity';
  const quality = measureColumn(values, isQuantity ? specification.flagValue : null);
  const [presentCount = null, missingCount = null, unitNotConvertibleCount = null] = suppressCells([
    quality.presentCount,
    quality.missingCount - refused,
    refused,
  ]);
  // With all present values in its bins, a histogram would tell a number of them that is withheld.
  const hasHistogram = (isQuantity || specification.kind === 'age') && presentCount !== null;
  return {
    name: specification.name,
    role,
    unit: isQuantity || specification.kind === 'age' ? specification.unit : null,
    presentCount,
    missingCount,
    unitNotConvertibleCount,
    flaggedCount: showPart(quality.flaggedCount, quality.presentCount),
    isConstant: quality.isConstant && quality.presentCount >= SUPPRESSION_LIMIT,
    histogram: hasHistogram ? createHistogram(values) : null,
  };
}

/** Units have findings of their own, by fact. */
export function findColumnFaults(features: readonly FeatureReport[]): QualityFinding[] {
  const faults: QualityFinding[] = [];
  for (const { name: about, presentCount, missingCount, flaggedCount, isConstant } of features) {
    const found = (finding: Pick<QualityFinding, 'code' | 'severity' | 'subjectCount'>) =>
      faults.push({ ...finding, about, recordCount: null, detail: '' });
    // Withheld: whether nobody lacks the value or up to four do is not told.
    if (missingCount !== 0 && missingCount !== null) {
      const isProblem = missingCount >= problemShare * (missingCount + (presentCount ?? 0));
      found({
        code: 'value-missing',
        severity: isProblem ? 'problem' : 'warning',
        subjectCount: missingCount,
      });
    } else if (missingCount === null)
      found({ code: 'value-missing', severity: 'note', subjectCount: missingCount });
    if (flaggedCount !== 0)
      found({
        code: 'value-flagged',
        severity: flaggedCount === null ? 'note' : 'warning',
        subjectCount: flaggedCount,
      });
    if (isConstant) found({ code: 'column-constant', severity: 'warning', subjectCount: null });
  }
  return faults;
}
