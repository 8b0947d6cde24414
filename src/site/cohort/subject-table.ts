// The plan's columns of every subject with an index event, read in one pass per code. Columns are typed arrays: 100,000
// subjects of 13 features take 11 MB.
import type { FeatureSpecification, ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { convertUnit, IngestError } from '#site/ingest/index.ts';
import type { Store } from '#site/store/index.ts';
import { type FactValue, type FactWindow, readLatestFacts, streamFacts } from './latest-facts.ts';

export type DataElements = ResearchStudyPlan['dataElements'];

/** 'ambiguous': facts that put a subject into both parts; it must not be trained on and tested with. */
export type Part = 'training' | 'holdout' | 'none' | 'ambiguous';

export interface SubjectTable {
  /** Sorted; a row's number is its place here. */
  readonly subjectIds: readonly string[];
  /** Shifted day of the first index event. */
  readonly indexDays: Int32Array;
  readonly parts: readonly Part[];
  /** In the plan's order; NaN where the subject has no usable value. */
  readonly features: readonly Float64Array[];
  /** 0 or 1; NaN where there is none. */
  readonly labels: Float64Array;
}

/** Reads the whole table; call it inside a transaction, so that no import comes in between. */
export function readSubjectTable(store: Store, elements: DataElements): SubjectTable {
  const index = readIndexEvents(store, elements);
  const window = createWindow(index, elements.windowDays);
  const count = index.subjectIds.length;
  const features = elements.features.map(() => new Float64Array(count).fill(Number.NaN));
  const labels = new Float64Array(count).fill(Number.NaN);
  const targets = elements.features.map((feature, column) => ({
    feature,
    values: features[column] ?? labels,
  }));
  readFactFeatures(store, window, targets);
  for (const { feature, values } of targets) {
    if (feature.kind === 'age') values.set(index.ages);
    if (feature.kind === 'sex') readSex(store, { ordinals: index.ordinals, equals: feature.equals, values });
  }
  const { label } = elements;
  readLatestFacts(store, label.code, {
    window,
    take: (ordinal, fact) => {
      const value = quantityOf(fact, label.unit);
      labels[ordinal] = Number.isNaN(value) ? Number.NaN : Number(value > label.greaterThan);
    },
  });
  const parts = readParts(store, index.ordinals, elements.split);
  return { subjectIds: index.subjectIds, indexDays: index.days, parts, features, labels };
}

interface IndexEvents {
  readonly subjectIds: readonly string[];
  readonly ordinals: ReadonlyMap<string, number>;
  readonly days: Int32Array;
  /** Whole years on the index day; NaN until a birth date is known. */
  readonly ages: Float64Array;
}

/** The first index event of each subject counts, whatever came later. */
function readIndexEvents(store: Store, { indexEvent }: DataElements): IndexEvents {
  const first = new Map<string, { readonly day: number; readonly age: number | null }>();
  for (const { subject_id, day, age_years } of streamFacts(store, indexEvent)) {
    const known = first.get(subject_id);
    if (known === undefined || day < known.day) first.set(subject_id, { day, age: age_years });
  }
  const subjectIds = [...first.keys()].sort();
  return {
    subjectIds,
    ordinals: new Map(subjectIds.map((subjectId, ordinal) => [subjectId, ordinal])),
    days: Int32Array.from(subjectIds, (subjectId) => first.get(subjectId)?.day ?? 0),
    ages: Float64Array.from(subjectIds, (subjectId) => first.get(subjectId)?.age ?? Number.NaN),
  };
}

function createWindow(
  { ordinals, days }: IndexEvents,
  { before, after }: DataElements['windowDays'],
): FactWindow {
  return {
    subjectCount: days.length,
    daysOf: (subjectId) => {
      const ordinal = ordinals.get(subjectId);
      const indexDay = ordinal === undefined ? undefined : days[ordinal];
      if (ordinal === undefined || indexDay === undefined) return undefined;
      return { ordinal, first: indexDay - before, last: indexDay + after };
    },
  };
}

interface Target {
  readonly feature: FeatureSpecification;
  readonly values: Float64Array;
}

/** Features of one code (the indicators of a coded value) share one pass, so they all see the same fact. */
function readFactFeatures(store: Store, window: FactWindow, targets: readonly Target[]): void {
  const fromFacts = targets.filter(({ feature }) => feature.kind !== 'age' && feature.kind !== 'sex');
  const groups = Map.groupBy(fromFacts, ({ feature }) =>
    JSON.stringify([feature.code.system, feature.code.code]),
  );
  for (const group of groups.values()) {
    const code = group[0]?.feature.code;
    if (code === undefined) continue;
    const take = (ordinal: number, fact: FactValue) => {
      for (const { feature, values } of group) values[ordinal] = readValue(feature, fact);
    };
    readLatestFacts(store, code, { window, take });
  }
}

/** NaN where the fact has not the shape that the feature asks for. */
function readValue(feature: FeatureSpecification, fact: FactValue): number {
  switch (feature.kind) {
    case 'quantity':
      return quantityOf(fact, feature.unit);
    case 'boolean':
      return fact.unit === null && (fact.value_number === 0 || fact.value_number === 1)
        ? fact.value_number
        : Number.NaN;
    case 'indicator':
      if (fact.value_code === null) return Number.NaN;
      return Number(fact.value_code === feature.equals.code && fact.value_system === feature.equals.system);
    default:
      return Number.NaN;
  }
}

function quantityOf({ value_number: value, unit }: FactValue, wanted: string): number {
  if (value === null || unit === null) return Number.NaN;
  if (unit === wanted) return value;
  try {
    return convertUnit(value, unit, wanted);
  } catch (error) {
    // A value in a unit of another kind is no value of this feature: the subject counts as lacking it.
    if (error instanceof IngestError) return Number.NaN;
    throw error;
  }
}

interface SexColumn {
  readonly ordinals: ReadonlyMap<string, number>;
  readonly equals: 'male' | 'female';
  readonly values: Float64Array;
}

function readSex(store: Store, { ordinals, equals, values }: SexColumn): void {
  const rows = store.prepare(`SELECT subject_id, sex FROM subject WHERE sex IN ('male', 'female')`).iterate();
  for (const { subject_id, sex } of rows as Iterable<{ readonly subject_id: string; readonly sex: string }>) {
    const ordinal = ordinals.get(subject_id);
    if (ordinal !== undefined) values[ordinal] = Number(sex === equals);
  }
}

/** All facts of the split code have to agree, whenever they were recorded. */
function readParts(
  store: Store,
  ordinals: ReadonlyMap<string, number>,
  split: DataElements['split'],
): Part[] {
  const parts = new Array<Part>(ordinals.size).fill('none');
  for (const { subject_id, value_code } of streamFacts(store, split.code)) {
    const ordinal = ordinals.get(subject_id);
    const part =
      value_code === split.training ? 'training' : value_code === split.holdout ? 'holdout' : 'none';
    if (ordinal === undefined || part === 'none') continue;
    const known = parts[ordinal];
    parts[ordinal] = known === 'none' || known === part ? part : 'ambiguous';
  }
  return parts;
}
