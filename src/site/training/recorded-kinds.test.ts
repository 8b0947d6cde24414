// Every kind of model as a recorded graph: the same training as one operation after the other.
import { describe, expect, it } from 'vitest';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { createInitialWeights } from '#site/model/index.ts';
import type { TrainingJob } from '#site/ports.ts';
import { loadEngine } from '#site/training/engine.ts';
import { trainModel } from '#site/training/train-model.ts';
import { sampleExamples, sampleModel, sampleModels } from '#support/model-samples.ts';

const { tf, info } = await loadEngine(undefined);
const control = { onProgress: () => {}, isCancelled: () => false };

/** Without dropout, whose masks start anew in each job. */
function keeping(kind: ModelSpecification['kind']): ModelSpecification {
  const { dropoutRate: _, ...model } = sampleModel(kind) as ModelSpecification & { dropoutRate?: number };
  return model as ModelSpecification;
}

describe.each(Object.keys(sampleModels) as ModelSpecification['kind'][])('a model of kind %s', (kind) => {
  it('is trained by a graph of 80 steps as by 40 and 40 without one', async () => {
    if (info.name !== 'tensorflow') {
      process.stderr.write(`not recorded: ${info.reason}\n`);
      return;
    }
    const model = keeping(kind);
    const train = (localUpdates: number, from: Partial<TrainingJob> = {}) =>
      trainModel(
        tf,
        {
          model,
          training: {
            optimizer: { kind: 'sgd', learningRate: 0.02, momentum: 0.9 },
            batchSize: 12,
            localUpdates,
            gradientClipNorm: 1,
            weightDecay: 0.001,
          },
          weights: createInitialWeights(model),
          // All of them in one batch: their order does not matter.
          examples: sampleExamples(model, 12),
          seed: new Uint8Array(32).fill(1),
          optimizerState: null,
          ...from,
        },
        control,
      );
    const graph = await train(80);
    const half = await train(40);
    const eager = await train(40, { weights: half.weights, optimizerState: half.optimizerState });
    expect([graph.execution, half.execution, eager.execution]).toEqual(['graph', 'eager', 'eager']);
    expect(graph.lossAfter).toBeLessThan(graph.lossBefore);
    expect(Math.abs(graph.lossAfter - eager.lossAfter) / eager.lossAfter).toBeLessThan(1e-5);
  });
});
