// The weights a research study starts from. Pure: the consortium makes round 0 with it and a site can make it again, byte for byte.
import { fromHex } from '#base/bytes.ts';
import { createKeystream, type Keystream } from '#federation/crypto/keystream.ts';
import { createNetwork } from '#federation/network/create-network.ts';
import { describeNetwork, type WeightDescription } from '#federation/network/describe-network.ts';
import { sizeOf } from '#federation/network/layer-shape.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';

/** Shape of each weight of the model, in name order. All are float32. */
export function weightShapes(model: ModelSpecification): ReadonlyMap<string, readonly number[]> {
  const { weights } = describeNetwork(createNetwork(model));
  return new Map(inNameOrder(weights).map(({ name, shape }) => [name, shape]));
}

/**
 * Drawn layer by layer, of each the kernel and then the bias, row by row; each value is bound * (2u - 1) with u in [0, 1) of 53
 * bits, rounded once. Of variance scaling the bound is sqrt(3 * scale / fan).
 */
export function createInitialWeights(model: ModelSpecification): TensorMap {
  const { initialisation } = model;
  const keystream = initialisation.kind === 'zeros' ? null : createKeystream(fromHex(initialisation.seed));
  const drawn = describeNetwork(createNetwork(model)).weights.map((weight) => ({
    name: weight.name,
    tensor: { shape: weight.shape, data: draw(weight, keystream) },
  }));
  return new Map(inNameOrder(drawn).map(({ name, tensor }): [string, Tensor] => [name, tensor]));
}

/** Code-unit order, as everywhere. */
function inNameOrder<Named extends { readonly name: string }>(weights: readonly Named[]): Named[] {
  return weights.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function draw(weight: WeightDescription, keystream: Keystream | null): Float32Array {
  const values = new Float32Array(sizeOf(weight.shape));
  const { initialiser } = weight;
  if (initialiser.kind === 'ones') return values.fill(1);
  const bound = boundOf(weight);
  if (bound === 0 || keystream === null) return values;
  for (let at = 0; at < values.length; at += 1) values[at] = bound * (2 * keystream.nextDouble() - 1);
  return values;
}

function boundOf({ initialiser, fans }: WeightDescription): number {
  if (initialiser.kind === 'uniform') return initialiser.bound;
  if (initialiser.kind !== 'variance-scaling') return 0;
  const fan = initialiser.fan === 'average' ? (fans.in + fans.out) / 2 : fans[initialiser.fan];
  return Math.sqrt((3 * initialiser.scale) / fan);
}
