// A data-quality report of the site behind the renderer's tests.
import { setTimeout } from 'node:timers/promises';
import type { QualityEvent, QualityReport } from '#ipc/quality-schema.ts';

const total = 13;

export async function* qualityEvents({
  input: { researchStudyId },
}: {
  readonly input: { readonly researchStudyId: string };
}): AsyncGenerator<QualityEvent, void, undefined> {
  for (let done = 0; done < total; done += 1) {
    yield { kind: 'progress', done, total };
    await setTimeout(40);
  }
  yield { kind: 'report', report: { ...report, researchStudyId } };
}

const counts = [12, 31, 58, 74, 61, 33, 15];
const report: Omit<QualityReport, 'researchStudyId'> = {
  planVersion: 1,
  madeAt: '2026-11-21T08:00:00.000Z',
  subjectCount: 294,
  features: [
    {
      name: 'age',
      role: 'feature',
      unit: 'a',
      presentCount: 294,
      missingCount: 0,
      unitNotConvertibleCount: 0,
      flaggedCount: 0,
      isConstant: false,
      histogram: counts.map((subjectCount, at) => ({
        from: at === 0 ? null : 30 + 5 * at,
        until: at === counts.length - 1 ? null : 35 + 5 * at,
        subjectCount,
      })),
    },
    {
      name: 'chol',
      role: 'feature',
      unit: 'mg/dL',
      presentCount: 271,
      missingCount: 23,
      unitNotConvertibleCount: 0,
      flaggedCount: 18,
      isConstant: false,
      histogram: [...counts].reverse().map((subjectCount, at) => ({
        from: at === 0 ? null : 120 + 40 * at,
        until: at === counts.length - 1 ? null : 160 + 40 * at,
        subjectCount,
      })),
    },
    {
      name: 'exang',
      role: 'feature',
      unit: null,
      presentCount: null,
      missingCount: null,
      unitNotConvertibleCount: 0,
      flaggedCount: 0,
      isConstant: true,
      histogram: null,
    },
  ],
  codes: [],
  imaging: [],
  findings: [
    {
      code: 'unit-not-convertible',
      severity: 'problem',
      about: 'chol',
      subjectCount: 12,
      recordCount: 14,
      detail: 'mmol',
    },
    {
      code: 'value-missing',
      severity: 'warning',
      about: 'chol',
      subjectCount: 23,
      recordCount: null,
      detail: '',
    },
    {
      code: 'column-constant',
      severity: 'note',
      about: 'exang',
      subjectCount: null,
      recordCount: null,
      detail: '',
    },
  ],
};
