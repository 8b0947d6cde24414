// When each subject was born and died, and what day it is for it: in stored days, which its date offset moves.
import type { CohortSubjects } from '#site/cohort/index.ts';
import type { SubjectRegistry } from '#site/deidentify/index.ts';
import { deathCode } from '#site/ingest/index.ts';
import type { CodeScan } from './code-scan.ts';

export type LifeRegistry = Pick<SubjectRegistry, 'shiftDay' | 'birthDayOf'>;

export interface LifeDays {
  /** By subject_no; NaN where it is not known. */
  readonly birth: Float64Array;
  readonly death: Float64Array;
  readonly today: Float64Array;
}

export interface LifeSource {
  readonly registry: LifeRegistry;
  readonly subjects: CohortSubjects;
  /** Whom the report is about. */
  readonly subjectNos: Iterable<number>;
  /** Real day. */
  readonly today: number;
  readonly scan: (codes: readonly (typeof deathCode)[]) => CodeScan;
}

export function readLifeDays({ registry, subjects, subjectNos, today, scan }: LifeSource): LifeDays {
  const size = subjects.standingNos.length;
  const unknown = () => new Float64Array(size).fill(Number.NaN);
  const days = { birth: unknown(), death: unknown(), today: unknown() };
  for (const subjectNo of subjectNos) {
    const subjectId = subjects.subjectIdOf(subjectNo) ?? '';
    days.birth[subjectNo] = registry.birthDayOf(subjectId) ?? Number.NaN;
    days.today[subjectNo] = registry.shiftDay(subjectId, today);
  }
  const { facts } = scan([deathCode]);
  // By day: the first one that is recorded stays.
  for (let at = 0; at < facts.count; at += 1) {
    const subjectNo = facts.subjectNos[at] ?? 0;
    if (Number.isNaN(days.death[subjectNo] ?? 0)) days.death[subjectNo] = facts.days[at] ?? Number.NaN;
  }
  return days;
}
