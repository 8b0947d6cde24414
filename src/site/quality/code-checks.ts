// What the facts of one code show by themselves: in which units they are, which are there twice, and which lie on days that cannot be.
import type { CodeReference } from '#federation/records/data-elements.ts';
import type { Word } from '#site/cohort/index.ts';
import { deathCode } from '#site/ingest/index.ts';
import type { ScannedFacts } from './code-scan.ts';
import type { LifeDays } from './life-days.ts';
import type { CodeReport, FindingCode, QualityFinding, Severity } from './quality-report.ts';
import { showPart, showTallies, showTally, Tally } from './tally.ts';

export interface CodeCheck {
  readonly code: CodeReference;
  readonly facts: ScannedFacts;
  readonly life: LifeDays;
  readonly word: (wordId: number) => Word | undefined;
  /** Subjects of the report. */
  readonly subjectCount: number;
}

export function describeCode({ code, facts, word, subjectCount }: CodeCheck): CodeReport {
  const all = new Tally();
  const units = new Map<string, Tally>();
  for (let at = 0; at < facts.count; at += 1) {
    const subjectNo = facts.subjectNos[at] ?? 0;
    all.add(subjectNo);
    if (Number.isNaN(facts.numbers[at] ?? Number.NaN)) continue;
    const found = word(facts.wordIds[at] ?? 0);
    const unit = found?.kind === 'unit' ? found.code : '-';
    const tally = units.get(unit) ?? new Tally();
    units.set(unit, tally);
    tally.add(subjectNo);
  }
  const names = [...units.keys()].sort();
  const shown = showTally(all, [subjectCount]);
  const unitTallies = showTallies(
    names.map((name) => units.get(name) ?? new Tally()),
    all.subjectCount,
  );
  return {
    system: code.system,
    code: code.code,
    display: code.display,
    subjectCount: shown.subjectCount,
    factCount: shown.recordCount,
    units: names.map((unit, at) => ({
      unit,
      subjectCount: shown.subjectCount === null ? null : (unitTallies[at]?.subjectCount ?? null),
      factCount: shown.subjectCount === null ? null : (unitTallies[at]?.recordCount ?? null),
    })),
  };
}

const severityOf = {
  'fact-duplicate': 'warning',
  'fact-before-birth': 'problem',
  'fact-in-future': 'problem',
  'fact-after-death': 'warning',
  'fact-ends-before-start': 'problem',
} as const satisfies Partial<Record<FindingCode, Severity>>;
type DayFinding = keyof typeof severityOf;

/** A fact counts once for each thing that is wrong with it. */
export function checkDays({ code, facts, life, subjectCount }: CodeCheck): QualityFinding[] {
  const tallies = new Map<DayFinding, Tally>();
  const withCode = new Tally();
  const isDeath = code.system === deathCode.system && code.code === deathCode.code;
  const found = (finding: DayFinding, subjectNo: number) => {
    const tally = tallies.get(finding) ?? new Tally();
    tallies.set(finding, tally);
    tally.add(subjectNo);
  };
  for (let at = 0; at < facts.count; at += 1) {
    const subjectNo = facts.subjectNos[at] ?? 0;
    const day = facts.days[at] ?? 0;
    withCode.add(subjectNo);
    if (at > 0 && isSame(facts, at - 1, at)) found('fact-duplicate', subjectNo);
    // What is not known is NaN: no comparison holds.
    if (day < (life.birth[subjectNo] ?? Number.NaN)) found('fact-before-birth', subjectNo);
    if (day > (life.today[subjectNo] ?? Number.NaN)) found('fact-in-future', subjectNo);
    else if (!isDeath && day > (life.death[subjectNo] ?? Number.NaN)) found('fact-after-death', subjectNo);
    if ((facts.endDays[at] ?? Number.NaN) < day) found('fact-ends-before-start', subjectNo);
  }
  return [...tallies].map(([finding, tally]) => ({
    code: finding,
    severity: severityOf[finding],
    about: code.display,
    ...showTally(tally, [withCode.subjectCount, subjectCount]),
    detail: '',
  }));
}

function isSame(facts: ScannedFacts, one: number, other: number): boolean {
  const { subjectNos, days, seconds, wordIds, numbers } = facts;
  const isEqual = (column: Int32Array) => column[one] === column[other];
  return (
    isEqual(subjectNos) &&
    isEqual(days) &&
    isEqual(seconds) &&
    isEqual(wordIds) &&
    Object.is(numbers[one], numbers[other])
  );
}

/** How many of the report's subjects were over 120 on their index day. */
export function checkAges(
  life: LifeDays,
  { subjectNos, indexDays }: { readonly subjectNos: Int32Array; readonly indexDays: Int32Array },
): QualityFinding[] {
  const oldest = 120 * 365.25;
  const count = subjectNos.reduce(
    (sum, subjectNo, at) =>
      sum + Number((indexDays[at] ?? 0) - (life.birth[subjectNo] ?? Number.NaN) > oldest),
    0,
  );
  if (count === 0) return [];
  const shown = showPart(count, subjectNos.length);
  return [
    {
      code: 'age-impossible',
      severity: 'problem',
      about: 'age',
      subjectCount: shown,
      recordCount: null,
      detail: '',
    },
  ];
}
