// The weights a research study starts from. Pure: the consortium makes round 0 with it and a site can make it again.
import { fromHex } from '#base/bytes.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { ModelSpecification } from '#federation/records/research-study-plan.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';

/** Shape of each weight of the model, in name order. All are float32. */
export function weightShapes(model: ModelSpecification): ReadonlyMap<string, readonly number[]> {
  return new Map([
    ['weights/bias', [1]],
    ['weights/kernel', [model.inputCount, 1]],
  ]);
}

/** Values in order of the kernel's rows and then the bias; `uniform` draws each as bound * (2u - 1) with u in [0, 1) of 53 bits. */
export function createInitialWeights(model: ModelSpecification): TensorMap {
  const kernel = new Float32Array(model.inputCount);
  const bias = new Float32Array(1);
  const { initialisation } = model;
  if (initialisation.kind === 'uniform') {
    const keystream = createKeystream(fromHex(initialisation.seed));
    for (const values of [kernel, bias]) {
      for (let at = 0; at < values.length; at += 1)
        values[at] = initialisation.bound * (2 * keystream.nextDouble() - 1);
    }
  }
  return new Map<string, Tensor>([
    ['weights/bias', { shape: [1], data: bias }],
    ['weights/kernel', { shape: [model.inputCount, 1], data: kernel }],
  ]);
}
