// Models of each kind against PyTorch in float64: outputs, losses and gradients, on every engine that is here.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createNetwork } from '#federation/network/create-network.ts';
import { type ModelSpecification, modelSpecification } from '#federation/records/model-specification.ts';
import type { Tensor } from '#federation/tensors/tensor.ts';
import { bindModel, encodeTargets, exampleWeights } from '#site/model/index.ts';
import { loadEngine } from '#site/training/engine.ts';

interface Vector {
  readonly shape: number[];
  readonly data: number[];
}
interface ModelCase {
  readonly name: string;
  readonly model: ModelSpecification;
  readonly inputs: Vector;
  readonly labels: number[];
  readonly weights: Record<string, Vector>;
  readonly outputs: Vector;
  readonly losses: number[];
  readonly gradients: Record<string, Vector>;
}
const vectors = JSON.parse(readFileSync(new URL('models.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly ModelCase[];
};

/** float32 sums of a few hundred products, against the largest value of the tensor. */
const tolerance = 2e-5;

function expectClose(found: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(found.length, what).toBe(expected.length);
  const largest = Math.max(1e-3, ...expected.map(Math.abs));
  const worst = expected.reduce(
    (most, value, at) => Math.max(most, Math.abs((found[at] ?? Number.NaN) - value)),
    0,
  );
  expect(worst / largest, what).toBeLessThan(tolerance);
}

function floats({ shape, data }: Vector): Tensor {
  return { shape, data: Float32Array.from(data) };
}

// The engines share one process: the one that is loaded last is the one that computes, so each runs in its turn.
describe.each(['tensorflow', 'wasm'] as const)('models on %s', (engineName) => {
  it.each(vectors.cases)('$name: PyTorch’s outputs, losses and gradients', async (vector) => {
    const { tf, info } = await loadEngine(engineName === 'wasm' ? 'wasm' : undefined);
    if (info.name !== engineName) {
      process.stderr.write(`not run on ${engineName}: ${info.reason}\n`);
      return;
    }
    await tf.setBackend(engineName);
    const model = modelSpecification.parse(vector.model);
    const bound = bindModel(
      tf,
      model,
      new Map(Object.entries(vector.weights).map(([name, weight]) => [name, floats(weight)])),
    );
    const labels = Float32Array.from(vector.labels);
    const count = vector.inputs.shape[0] ?? 0;
    const targets = encodeTargets(bound.objective, { labels, count, shape: createNetwork(model).inputShape });
    const weights = exampleWeights(model, { labels, count });
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const inputs = tf.tensor(vector.inputs.data, vector.inputs.shape);
      expectClose(bound.outputs({ inputs }).dataSync(), vector.outputs.data, 'outputs');
      const batch = {
        inputs,
        targets: tf.tensor(targets?.data ?? [], targets?.shape ?? []),
        weights: weights === null ? undefined : tf.tensor1d(weights),
      };
      expectClose(bound.exampleLosses(batch).dataSync(), vector.losses, 'losses');
      const { grads } = tf.variableGrads(() => tf.mean(bound.exampleLosses(batch)), [...bound.variables]);
      for (const [at, [name, gradient]] of Object.entries(vector.gradients).entries())
        expectClose(grads[bound.variables[at]?.name ?? '']?.dataSync() ?? [], gradient.data, name);
    });
    expect(tf.memory().numTensors).toBe(before);
    bound.dispose();
  });
});
