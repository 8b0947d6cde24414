// A plan as the operator wrote it, held against its schema. What it asks for and this release lacks is refused by name.

import { findModelContradiction, findUnservedModel } from '#federation/network/plan-contradiction.ts';
import { findPrivacyContradiction } from '#federation/privacy/plan-contradiction.ts';
import { type ResearchStudyPlan, researchStudyPlan } from '#federation/records/research-study-plan.ts';
import { findStatisticsContradiction } from '#federation/statistics/plan-contradiction.ts';
import { PublishError } from './publish-error.ts';

/** Parts of a plan that later releases give a meaning, and what this one takes there. */
const supported: readonly (readonly [path: string, expected: unknown])[] = [
  ['imaging', null],
  ['secureAggregation', null],
  ['statistics.noise', null],
  ['aggregation.strategy', 'fedavg'],
  ['aggregation.weighting', 'example-count'],
  ['approval.requiredStewards', 1],
];

/**
 * The plan, with `publishedAt` set to the moment of publication.
 * @throws PublishError NOT_SUPPORTED, BAD_PLAN naming the field.
 */
export function parsePlan(value: unknown, publishedAt: string): ResearchStudyPlan {
  for (const [path, expected] of supported) {
    const found = valueAt(value, path);
    if (found !== undefined && found !== expected) throw notSupported(path, expected);
  }
  const parsed = researchStudyPlan.safeParse(typeof value === 'object' ? { ...value, publishedAt } : value);
  if (!parsed.success) {
    const fields = parsed.error.issues
      .slice(0, 20)
      .map(({ path, message }) => ({ field: path.join('.'), message }));
    throw new PublishError('BAD_PLAN', 'The plan does not fit its schema.', { details: { fields } });
  }
  refuseContradictions(parsed.data);
  return parsed.data;
}

function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (part, key) => (typeof part === 'object' && part !== null ? Reflect.get(part, key) : undefined),
      value,
    );
}

function refuseContradictions(plan: ResearchStudyPlan): void {
  const { features, label } = plan.dataElements;
  if (label.kind === 'segmentation')
    throw contradiction('dataElements.label', 'a label from facts', label.kind);
  const unserved = findUnservedModel(plan);
  if (unserved !== undefined) throw notSupported(unserved.field, unserved.expected);
  const ofModel = findModelContradiction(plan);
  if (ofModel !== undefined) throw contradiction(ofModel.field, ofModel.expected, ofModel.found);
  requireDistinct(
    'dataElements.features',
    features.map(({ name }) => name),
  );
  requireDistinct(
    'participants',
    plan.participants.map(({ siteId }) => siteId),
  );
  const ofPrivacy = findPrivacyContradiction(plan);
  if (ofPrivacy !== undefined) throw contradiction(ofPrivacy.field, ofPrivacy.expected, ofPrivacy.found);
  const found = findStatisticsContradiction(plan);
  if (found !== undefined) throw contradiction(found.field, found.expected, found.found);
}

function requireDistinct(field: string, names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw contradiction(field, 'different names', 'a repeated name');
}

function notSupported(field: string, expected: unknown): PublishError {
  return new PublishError('NOT_SUPPORTED', 'The plan asks for something this release does not do.', {
    details: { field, expected },
  });
}

function contradiction(field: string, expected: unknown, found: unknown): PublishError {
  return new PublishError('BAD_PLAN', 'The plan contradicts itself.', {
    details: { field, expected, found },
  });
}
