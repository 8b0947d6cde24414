// The plan's columns of every subject with an index event, read in one pass per code. Columns are typed arrays: 100,000
// subjects of 13 features take 11 MB.
import type { FeatureSpecification, ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { ConsentDecision } from '#site/consent/index.ts';
import type { SubjectAges } from '#site/deidentify/index.ts';
import { convertUnit, IngestError } from '#site/ingest/index.ts';
import type { Store } from '#site/store/index.ts';
import { FactStream, type FactValue, type FactWindow, readLatestFacts } from './latest-facts.ts';

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
  /** For each feature, 1 where the subject has values in its window but none in a unit that converts: NaN for that reason. */
  readonly unitRefusals: readonly Uint8Array[];
  /** The same of the label. */
  readonly labelUnitRefusals: Uint8Array;
}

export interface SubjectTableSource {
  readonly store: Store;
  readonly ages: SubjectAges;
  /** By subject: facts that a consent does not let be read are as if they were not there (C5). */
  readonly decisions: ReadonlyMap<string, ConsentDecision>;
}

/** Reads the whole table; call it inside a transaction, so that no import comes in between. */
export function readSubjectTable(
  { store, ages, decisions }: SubjectTableSource,
  elements: DataElements,
): SubjectTable {
  const facts = new FactStream(store, decisions);
  const index = readIndexEvents(facts, elements);
  const window = createWindow(index, elements.windowDays);
  const count = index.subjectIds.length;
  const features = elements.features.map(() => new Float64Array(count).fill(Number.NaN));
  const labels = new Float64Array(count).fill(Number.NaN);
  const targets = elements.features.map((feature, column) => ({
    feature,
    values: features[column] ?? labels,
    refusals: new Uint8Array(count),
  }));
  readFactFeatures(facts, window, targets);
  for (const { feature, values } of targets) {
    if (feature.kind === 'age') readAges(ages, index, values);
    if (feature.kind === 'sex') readSex(store, { ordinals: index.ordinals, equals: feature.equals, values });
  }
  const labelUnitRefusals = new Uint8Array(count);
  readLabels(facts, window, { label: elements.label, values: labels, refusals: labelUnitRefusals });
  const parts = readParts(facts, index.ordinals, elements.split);
  const unitRefusals = targets.map(({ refusals }) => refusals);
  const { subjectIds, days: indexDays } = index;
  return { subjectIds, indexDays, parts, features, labels, unitRefusals, labelUnitRefusals };
}

interface LabelColumn {
  readonly label: DataElements['label'];
  readonly values: Float64Array;
  readonly refusals: Uint8Array;
}

function readLabels(facts: FactStream, window: FactWindow, { label, values, refusals }: LabelColumn): void {
  readLatestFacts(facts, label.code, {
    window,
    isUsable: hasUnitFor(label.unit),
    take: (ordinal, fact) => {
      const value = quantityOf(fact, label.unit);
      values[ordinal] = Number.isNaN(value) ? Number.NaN : Number(value > label.greaterThan);
    },
    refuse: (ordinal) => {
      refusals[ordinal] = 1;
    },
  });
}

interface IndexEvents {
  readonly subjectIds: readonly string[];
  readonly ordinals: ReadonlyMap<string, number>;
  readonly days: Int32Array;
}

/** Whole years on the index day; NaN until a birth date is known. */
function readAges(ages: SubjectAges, { subjectIds, days }: IndexEvents, values: Float64Array): void {
  for (const [ordinal, subjectId] of subjectIds.entries()) {
    values[ordinal] = ages.ageOn(subjectId, days[ordinal] ?? 0) ?? Number.NaN;
  }
}

/** The first index event of each subject counts, whatever came later. */
function readIndexEvents(facts: FactStream, { indexEvent }: DataElements): IndexEvents {
  const first = new Map<string, number>();
  for (const { subject_id, day } of facts.of(indexEvent)) {
    const known = first.get(subject_id);
    if (known === undefined || day < known) first.set(subject_id, day);
  }
  const subjectIds = [...first.keys()].sort();
  return {
    subjectIds,
    ordinals: new Map(subjectIds.map((subjectId, ordinal) => [subjectId, ordinal])),
    days: Int32Array.from(subjectIds, (subjectId) => first.get(subjectId) ?? 0),
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
  readonly refusals: Uint8Array;
}

/**
 * Features of one code (the indicators of a coded value) share one pass, so they all see the same fact; quantities only those
 * of one unit, because the fact that counts is the latest one that converts to it.
 */
function readFactFeatures(facts: FactStream, window: FactWindow, targets: readonly Target[]): void {
  const fromFacts = targets.filter(({ feature }) => feature.kind !== 'age' && feature.kind !== 'sex');
  const groups = Map.groupBy(fromFacts, ({ feature }) =>
    JSON.stringify([feature.code.system, feature.code.code, unitOf(feature)]),
  );
  for (const group of groups.values()) {
    const first = group[0]?.feature;
    if (first === undefined) continue;
    const unit = unitOf(first);
    const isUsable = unit === null ? () => true : hasUnitFor(unit);
    const take = (ordinal: number, fact: FactValue) => {
      for (const { feature, values } of group) values[ordinal] = readValue(feature, fact);
    };
    const refuse = (ordinal: number) => {
      for (const { refusals } of group) refusals[ordinal] = 1;
    };
    readLatestFacts(facts, first.code, { window, isUsable, take, refuse });
  }
}

function unitOf(feature: FeatureSpecification): string | null {
  return feature.kind === 'quantity' ? feature.unit : null;
}

/** Whether a fact's unit converts to the wanted one; a fact without number or unit is left to whoever reads its value. */
function hasUnitFor(wanted: string): (fact: FactValue) => boolean {
  const known = new Map<string, boolean>([[wanted, true]]);
  return ({ value_number: value, unit }) => {
    if (value === null || unit === null) return true;
    const before = known.get(unit);
    if (before !== undefined) return before;
    const converts = !Number.isNaN(convertOrNaN(1, unit, wanted));
    known.set(unit, converts);
    return converts;
  };
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
  return convertOrNaN(value, unit, wanted);
}

function convertOrNaN(value: number, unit: string, wanted: string): number {
  try {
    return convertUnit(value, unit, wanted);
  } catch (error) {
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
  const rows = store
    .prepare(`SELECT subject_id, sex FROM subject WHERE survivor_no IS NULL AND sex IN ('male', 'female')`)
    .iterate();
  for (const { subject_id, sex } of rows as Iterable<{ readonly subject_id: string; readonly sex: string }>) {
    const ordinal = ordinals.get(subject_id);
    if (ordinal !== undefined) values[ordinal] = Number(sex === equals);
  }
}

/** All facts of the split code have to agree, whenever they were recorded. */
function readParts(
  facts: FactStream,
  ordinals: ReadonlyMap<string, number>,
  split: DataElements['split'],
): Part[] {
  const parts = new Array<Part>(ordinals.size).fill('none');
  for (const { subject_id, value_code } of facts.of(split.code)) {
    const ordinal = ordinals.get(subject_id);
    const part =
      value_code === split.training ? 'training' : value_code === split.holdout ? 'holdout' : 'none';
    if (ordinal === undefined || part === 'none') continue;
    const known = parts[ordinal];
    parts[ordinal] = known === 'none' || known === part ? part : 'ambiguous';
  }
  return parts;
}
