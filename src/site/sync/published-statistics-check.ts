// Holds the statistics that a global model publishes against what a site can compute alone: its own are those that it sent, and the
// normalisation is made of the ones that are listed.
import { equalBytes } from '#base/bytes.ts';
import { releasedNormalisation } from '#federation/aggregation/released-normalisation.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import {
  type StatisticsLayout,
  type StatisticsPlan,
  statisticsLayout,
} from '#federation/statistics/statistics-layout.ts';
import { decodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { PublishedError } from './published-error.ts';

export interface StatisticsExpectation {
  readonly plan: StatisticsPlan;
  readonly siteId: string;
  /** Payload of this site's update in the model's attempt; undefined where there is none, or its bytes are erased. */
  readonly ownPayload: Uint8Array | undefined;
}

/**
 * Stops the consortium from publishing numbers in this site's name that it did not release, and from normalising with others than
 * those it publishes.
 * @throws PublishedError INCLUSION_MISMATCH, WRONG_MODEL_DIGEST.
 */
export function checkPublishedStatistics(
  model: Pick<GlobalModel, 'kind' | 'included' | 'statistics'>,
  tensors: TensorMap,
  expected: StatisticsExpectation,
): void {
  const layout = model.kind === 'statistics' ? statisticsLayout(expected.plan) : undefined;
  const { statistics: sites } = model;
  if ((layout === undefined) !== (sites === undefined))
    throw mismatch('The model publishes statistics that the plan does not ask for, or lacks those it does.');
  if (layout === undefined || sites === undefined) return;
  const countsOf = (listed: readonly { readonly siteId: string; readonly exampleCount: number }[]) =>
    JSON.stringify(listed.map(({ siteId, exampleCount }) => [siteId, exampleCount]));
  if (countsOf(sites) !== countsOf(model.included))
    throw mismatch('The published statistics are not those of the updates that the model is made from.');
  checkOwn(layout, sites, expected);
  const width = layout.columns.length;
  for (const [name, tensor] of releasedNormalisation(sites, width)) {
    const found = tensors.get(name);
    const isSame =
      found !== undefined &&
      equalBytes(encodeSafetensors(new Map([[name, tensor]])), encodeSafetensors(new Map([[name, found]])));
    if (isSame) continue;
    throw new PublishedError(
      'WRONG_MODEL_DIGEST',
      'The normalisation is not that of the published statistics.',
      { details: { tensor: name } },
    );
  }
}

function checkOwn(
  layout: StatisticsLayout,
  sites: NonNullable<GlobalModel['statistics']>,
  { siteId, ownPayload }: StatisticsExpectation,
): void {
  const listed = sites.find((site) => site.siteId === siteId);
  if (listed === undefined || ownPayload === undefined) return;
  const payload = parseSafetensors(ownPayload, { maxBytes: ownPayload.length });
  const own = { siteId, ...decodeStatistics(layout, payload) };
  if (equalBytes(encodeCanonicalJson(own), encodeCanonicalJson(listed))) return;
  throw mismatch('The statistics published in the name of this site are not those that it sent.');
}

function mismatch(message: string): PublishedError {
  return new PublishedError('INCLUSION_MISMATCH', message);
}
