// The quality stage: what is wrong with the data that a plan reads, counted with small cells withheld, before anything trains on it.
import { isoTime } from '#base/clock.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { type Candidates, openWords, suppressCount } from '#site/cohort/index.ts';
import type { Store } from '#site/store/index.ts';
import { checkAges, checkDays, describeCode } from './code-checks.ts';
import { checkCoverage, checkOutside, countOutside, plannedCodes } from './code-coverage.ts';
import { type CodeScan, isAnywhere, openCodeScan } from './code-scan.ts';
import { describeColumns, findColumnFaults, withoutFilling } from './feature-reports.ts';
import { checkImaging } from './imaging-checks.ts';
import { type LifeRegistry, readLifeDays } from './life-days.ts';
import type { CodeReport, QualityFinding, QualityReport, Severity } from './quality-report.ts';
import { checkValues, quantitiesOf } from './value-checks.ts';

export {
  type CodeReport,
  type FeatureReport,
  type FindingCode,
  findingCodes,
  type HistogramBin,
  type ImagingReport,
  type QualityFinding,
  type QualityReport,
  type Severity,
} from './quality-report.ts';

export interface QualitySource {
  readonly store: Store;
  readonly registry: LifeRegistry;
  /** Whom the report is about; called inside a transaction. */
  readonly candidates: (plan: ResearchStudyPlan) => Candidates;
}

/** Codes of the plan that are looked through, of how many. */
export interface QualityProgress {
  readonly done: number;
  readonly total: number;
}

const dayMs = 86_400_000;
const severities: readonly Severity[] = ['problem', 'warning', 'note'];

/** Reads in one transaction; of facts, those of one code are in memory at a time. Stores nothing. */
export function readQualityReport(
  source: QualitySource,
  plan: ResearchStudyPlan,
  onProgress: (progress: QualityProgress) => void = () => {},
): QualityReport {
  const { store } = source;
  const { researchStudyId, version: planVersion } = plan;
  return store.transaction(() => ({
    researchStudyId,
    planVersion,
    madeAt: isoTime(store.clock.nowMs()),
    ...readContent({ ...source, onProgress }, { ...plan, dataElements: withoutFilling(plan.dataElements) }),
  }));
}

interface ContentSource extends QualitySource {
  readonly onProgress: (progress: QualityProgress) => void;
}

type Content = Omit<QualityReport, 'researchStudyId' | 'planVersion' | 'madeAt'>;

function readContent(options: ContentSource, plan: ResearchStudyPlan): Content {
  const { store } = options;
  const candidates = options.candidates(plan);
  const { table, rows } = candidates;
  const features = describeColumns(plan.dataElements, table, rows);
  const standing = standingOf(candidates);
  const facts = checkFacts(options, { plan, candidates, scan: openCodeScan({ ...table, store, standing }) });
  const images = checkImaging({ store, subjects: table.subjects, standing, subjectCount: rows.length }, plan);
  // One cause, one finding: what nobody has is not missing from everybody as well.
  const columns = findColumnFaults(features.filter(({ name }) => !facts.uncovered.has(name)));
  const findings = [...columns, ...facts.findings, ...images.findings];
  return {
    subjectCount: suppressCount(rows.length),
    features,
    codes: facts.codes,
    imaging: images.imaging,
    findings: severities.flatMap((severity) => findings.filter((one) => one.severity === severity)),
  };
}

/** By subject_no: 1 with consent, 2 where the report is about it. */
function standingOf({ table, decisions, rows }: Candidates): Uint8Array {
  const standing = Uint8Array.from(table.subjects.standingNos, (standingNo, subjectNo) =>
    Number(standingNo === subjectNo && decisions.isPermitted(subjectNo)),
  );
  for (const row of rows) standing[table.subjectNos[row] ?? 0] = 2;
  return standing;
}

interface FactSource {
  readonly plan: ResearchStudyPlan;
  readonly candidates: Candidates;
  readonly scan: (codes: readonly { readonly system: string; readonly code: string }[]) => CodeScan;
}

interface FactFindings {
  readonly codes: CodeReport[];
  readonly findings: QualityFinding[];
  /** Names of features and label of whose code nobody has a fact. */
  readonly uncovered: ReadonlySet<string>;
}

function checkFacts({ store, registry, onProgress }: ContentSource, source: FactSource): FactFindings {
  const { plan, scan } = source;
  const { table, rows } = source.candidates;
  const { dataElements } = plan;
  const subjectNos = rows.map((row) => table.subjectNos[row] ?? 0);
  const indexDays = rows.map((row) => table.index.days[row] ?? 0);
  const today = Math.floor(store.clock.nowMs() / dayMs);
  const life = readLifeDays({ registry, subjects: table.subjects, subjectNos, today, scan });
  const word = openWords(store);
  const subjectCount = rows.length;
  const findings = checkAges(life, { subjectNos, indexDays });
  const codes: CodeReport[] = [];
  const uncovered = new Set<string>();
  const quantities = quantitiesOf(dataElements);
  const outsideCount = countOutside(source.candidates);
  const planned = plannedCodes(dataElements);
  for (const [done, code] of planned.entries()) {
    onProgress({ done, total: planned.length });
    const isOf = (other: { readonly system: string; readonly code: string }) =>
      other.system === code.system && other.code === code.code;
    const scanned = scan([code]);
    const { facts } = scanned;
    const check = { code, facts, life, word, subjectCount };
    codes.push(describeCode(check));
    findings.push(...checkCoverage({ store, scan }, code, scanned), ...checkDays(check));
    for (const quantity of quantities.filter((one) => isOf(one.code)))
      findings.push(...checkValues({ quantity, facts, word, subjectCount }));
    if (isAnywhere(scanned)) {
      findings.push(...checkOutside(code, scanned, outsideCount));
      continue;
    }
    for (const one of [...dataElements.features, dataElements.label])
      if ('code' in one && isOf(one.code)) uncovered.add(one.name);
  }
  return { codes, findings, uncovered };
}
