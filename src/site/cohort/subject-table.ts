// What a plan asks of every subject with an index event: criteria met, features, label, part. Columns are typed arrays: 100,000 subjects
// of 13 features take 11 MB.

import type { Criterion, DataElements } from '#federation/records/data-elements.ts';
import type { ImagingInput } from '#federation/records/imaging-input.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { ConsentDecisions } from '#site/consent/index.ts';
import type { SubjectAges } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import type { IndexDays } from './code-facts.ts';
import { codedSplitUse, type Part } from './coded-split.ts';
import { type CohortSubjects, readCohortSubjects } from './cohort-subjects.ts';
import { type CriterionSource, type ReadCriterion, readCriterion } from './criteria.ts';
import { type FactCode, openFactReader, openWords } from './fact-reader.ts';
import type { FactThreads } from './fact-threads.ts';
import { codeKey, type FactUse, groupUses } from './fact-use.ts';
import { type Column, createColumn, featureUse, fillMissing, labelUses } from './feature-column.ts';
import { type FoundSeries, findSeries, imagingIndexDays, openInputSeries } from './imaging-series.ts';
import type { InputSeries } from './member-images.ts';

export interface SubjectTable {
  readonly subjects: CohortSubjects;
  /** By row, rising: the subject_no of a subject that stands. */
  readonly subjectNos: Int32Array;
  readonly index: IndexDays;
  /** By row: 0 where every inclusion and no exclusion criterion is met, and the plan leaves out none for having died. */
  readonly unmet: Uint8Array;
  /** Of a coded split; 'none' for all where the site draws it. */
  readonly parts: Part[];
  /** In the plan's order. */
  readonly features: readonly Column[];
  /** 0 or 1. */
  readonly label: Column;
  /** Whether facts say the label; a segmentation does otherwise. */
  readonly hasLabel: boolean;
  /** Series that the plan's images are read from, by row; undefined where the plan reads none. */
  readonly series: ReadonlyMap<number, readonly InputSeries[]> | undefined;
}

/** Why a row is not asked about, in `unmet`. */
export const unmetInclusion = 1;
export const metExclusion = 2;
export const hasDied = 3;

export interface SubjectTableSource {
  readonly store: Store;
  readonly ages: SubjectAges;
  /** Facts and images that a consent does not let be read are as if they were not there (C5). */
  readonly decisions: ConsentDecisions;
}

/** Codes whose facts are read around the index day. */
export function codesOf({ criteria, features, label, split }: DataElements): FactCode[] {
  const codes = [
    ...[...criteria.include, ...criteria.exclude].flatMap((one) => (one.kind === 'fact' ? [one.code] : [])),
    ...features.flatMap((one) => (one.kind === 'age' || one.kind === 'sex' ? [] : [one.code])),
    ...(label.kind === 'segmentation' ? [] : [label.code]),
    ...(label.kind === 'occurrence' && label.followUp !== null ? [label.followUp] : []),
    ...(split.kind === 'coded' ? [split.code] : []),
  ];
  return [...new Map(codes.map((code) => [codeKey(code), code])).values()];
}

/**
 * Reads the whole table; call it inside a transaction, so that no import comes in between.
 * @param threads read the facts of `codesOf(plan.dataElements)`
 */
export function readSubjectTable(
  source: SubjectTableSource,
  { dataElements: elements, imaging }: Pick<ResearchStudyPlan, 'dataElements' | 'imaging'>,
  threads: FactThreads,
): SubjectTable {
  const { store } = source;
  const subjects = readCohortSubjects(store, source.decisions);
  const { index, subjectNos } = readIndex(store, subjects, elements);
  const rowCount = subjectNos.length;
  const { windowDays } = elements;
  const people = readPeople(source, { subjects, subjectNos, index });
  const series = seriesReader(store, subjects, index);
  const criteria: CriterionSource = { index, windowDays, ...people, series };
  const included = elements.criteria.include.map((one) => readCriterion(one, criteria));
  const excluded = elements.criteria.exclude.map((one) => readCriterion(one, criteria));
  const features = elements.features.map(() => createColumn(rowCount));
  const label = createColumn(rowCount);
  const parts = new Array<Part>(rowCount).fill('none');
  const columnSource = { index, windowDays };
  const uses: (FactUse | undefined)[] = [
    ...[...included, ...excluded].map(({ use }) => use),
    ...elements.features.map((feature, at) => featureUse(feature, features[at] ?? label, columnSource)),
    ...labelUses(elements.label, label, columnSource),
    elements.split.kind === 'coded' ? codedSplitUse(elements.split, parts) : undefined,
  ];
  const jobs = groupUses(uses.filter((use) => use !== undefined));
  threads.read(jobs, { subjects, index, word: openWords(store) });
  for (const [at, feature] of elements.features.entries()) {
    const column = features[at] ?? label;
    if (feature.kind === 'age') column.values.set(people.ages());
    if (feature.kind === 'sex') setSexes(column.values, people.sexes(), feature.equals);
    fillMissing(feature, column);
  }
  const unmet = unmetOf(rowCount, included, excluded);
  if (elements.includesDeceased !== true) markDeceased(unmet, subjects, subjectNos);
  const isSegmented = elements.label.kind === 'segmentation';
  const inputOf = openInputSeries(store, subjects, isSegmented);
  const images = imaging === null ? undefined : groupSeries(series(inputQuestion(imaging)), inputOf);
  return {
    subjects,
    subjectNos,
    index,
    unmet,
    parts,
    features,
    label,
    hasLabel: !isSegmented,
    series: images,
  };
}

/** Rows in the order of subject_no. */
function readIndex(
  store: Store,
  subjects: CohortSubjects,
  { indexEvent }: DataElements,
): { readonly index: IndexDays; readonly subjectNos: Int32Array } {
  const days =
    indexEvent.kind === 'fact'
      ? factIndexDays(store, subjects, indexEvent)
      : imagingIndexDays(store, subjects, indexEvent);
  const subjectNos = Int32Array.from([...days.keys()].filter((subjectNo) => days[subjectNo] !== undefined));
  const rowOf = new Int32Array(days.length).fill(-1);
  for (const [row, subjectNo] of subjectNos.entries()) rowOf[subjectNo] = row;
  const indexDays = Int32Array.from(subjectNos, (subjectNo) => days[subjectNo] ?? 0);
  return { index: { rows: rowOf, days: indexDays }, subjectNos };
}

/** By subject_no, of those that stand: the day of the first or last fact of the code. */
function factIndexDays(
  store: Store,
  { standingNos, daysMoved, isReadable }: CohortSubjects,
  { code, which }: Extract<DataElements['indexEvent'], { kind: 'fact' }>,
): (number | undefined)[] {
  const found: (number | undefined)[] = new Array<undefined>(standingNos.length).fill(undefined);
  const { count, subjectNos, days } = openFactReader(store)(code);
  for (let at = 0; at < count; at += 1) {
    const subjectNo = subjectNos[at] ?? 0;
    const standingNo = standingNos[subjectNo] ?? 0;
    const day = (days[at] ?? 0) + (daysMoved[subjectNo] ?? 0);
    if (!isReadable(standingNo, day, 'clinical')) continue;
    const known = found[standingNo];
    if (known === undefined || (which === 'first' ? day < known : day > known)) found[standingNo] = day;
  }
  return found;
}

interface PeopleSource {
  readonly subjects: CohortSubjects;
  readonly subjectNos: Int32Array;
  readonly index: IndexDays;
}

/** Ages and sexes, read when a plan first asks for them. */
function readPeople(
  { store, ages }: SubjectTableSource,
  { subjects, subjectNos, index }: PeopleSource,
): Pick<CriterionSource, 'ages' | 'sexes'> {
  return {
    ages: once(() =>
      Float64Array.from(subjectNos, (subjectNo, row) => {
        const subjectId = subjects.subjectIdOf(subjectNo);
        return (subjectId === undefined ? null : ages.ageOn(subjectId, index.days[row] ?? 0)) ?? Number.NaN;
      }),
    ),
    sexes: once(() => {
      const found = new Array<string | null>(subjectNos.length).fill(null);
      const rows = store.prepareRows(
        'SELECT subject_no, sex FROM subject WHERE survivor_no IS NULL AND sex IS NOT NULL',
      );
      for (const [subjectNo, sex] of rows.iterate() as Iterable<[number, string]>) {
        const row = index.rows[subjectNo] ?? -1;
        if (row >= 0) found[row] = sex;
      }
      return found;
    }),
  };
}

function once<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}

function setSexes(values: Float64Array, sexes: readonly (string | null)[], equals: string): void {
  for (const [row, sex] of sexes.entries())
    values[row] = sex === 'male' || sex === 'female' ? Number(sex === equals) : Number.NaN;
}

type ImagingQuestion = Pick<Extract<Criterion, { kind: 'imaging' }>, 'modality' | 'bodyPart' | 'isSegmented'>;

interface RowSeries extends FoundSeries {
  readonly row: number;
}

function seriesReader(
  store: Store,
  subjects: CohortSubjects,
  index: IndexDays,
): (question: ImagingQuestion) => Iterable<RowSeries> {
  return function* read(question) {
    for (const found of findSeries(store, subjects, question)) {
      const row = index.rows[found.standingNo] ?? -1;
      if (row >= 0) yield { row, ...found };
    }
  };
}

function inputQuestion({ modality, bodyPart, series }: ImagingInput): ImagingQuestion {
  return { modality, bodyPart, isSegmented: series === 'segmented' };
}

function groupSeries(
  found: Iterable<RowSeries>,
  inputOf: (series: FoundSeries) => InputSeries,
): Map<number, InputSeries[]> {
  const groups = new Map<number, InputSeries[]>();
  for (const series of found) {
    const known = groups.get(series.row);
    if (known === undefined) groups.set(series.row, [inputOf(series)]);
    else known.push(inputOf(series));
  }
  return groups;
}

/** Before any criterion: of those who died none is asked. */
function markDeceased(unmet: Uint8Array, { deceased }: CohortSubjects, subjectNos: Int32Array): void {
  for (const [row, subjectNo] of subjectNos.entries()) if (deceased[subjectNo] === 1) unmet[row] = hasDied;
}

function unmetOf(
  rowCount: number,
  included: readonly ReadCriterion[],
  excluded: readonly ReadCriterion[],
): Uint8Array {
  const unmet = new Uint8Array(rowCount);
  for (let row = 0; row < rowCount; row += 1) {
    if (included.some(({ met }) => met[row] !== 1)) unmet[row] = unmetInclusion;
    else if (excluded.some(({ met }) => met[row] === 1)) unmet[row] = metExclusion;
  }
  return unmet;
}
