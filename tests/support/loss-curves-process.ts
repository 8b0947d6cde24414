// Trains one small model of each kind on one engine and writes its losses as JSON: an engine for itself, for a driver that reads the environment.
// Arguments: tensorflow, webgpu or wasm; names of kinds, or none for all. Software adapters are welcome here.
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { createInitialWeights } from '#site/model/index.ts';
import { loadEngine } from '#site/training/engine.ts';
import { trainModel } from '#site/training/train-model.ts';
import { loadWebgpu } from '#site/training/webgpu-engine.ts';
import { sampleExamples, sampleModel, sampleModels } from './model-samples.ts';

const [, , name = '', ...asked] = process.argv;
const kinds = (asked.length > 0 ? asked : Object.keys(sampleModels)) as ModelSpecification['kind'][];
const { tf, info } = await loadEngine(name === 'tensorflow' ? undefined : 'wasm');
let device = info.device;
if (name === 'webgpu') {
  const gpu = await loadWebgpu(tf, true);
  if ('why' in gpu) throw new Error(gpu.why);
  device = gpu.info.device;
  await tf.setBackend('webgpu');
} else if (info.name !== name) throw new Error(info.reason);

const curves: Record<string, number[]> = {};
for (const kind of kinds) {
  const model = sampleModel(kind);
  const losses: number[] = [];
  let last = { weights: createInitialWeights(model), optimizerState: null as Uint8Array | null };
  for (let step = 0; step < 10; step += 1) {
    const training = {
      optimizer: { kind: 'adam', learningRate: 0.01 },
      batchSize: 8,
      localUpdates: 1,
    } as const;
    const examples = sampleExamples(model, kind === 'unet-2d' ? 12 : 24);
    const job = { model, training, examples, seed: new Uint8Array(32).fill(1), ...last };
    const result = await trainModel(tf, job, { onProgress: () => {}, isCancelled: () => false });
    losses.push(result.lossAfter);
    last = result;
  }
  curves[kind] = losses;
}
process.stdout.write(`${JSON.stringify({ device, curves })}\n`);
process.exit(0);
