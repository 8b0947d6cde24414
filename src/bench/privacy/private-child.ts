// Takes private steps of one network for some seconds. Run by the bench as a process of its own:
// private-child.ts MODEL BATCH-SIZE EXAMPLE-COUNT SECONDS plain|clipped|drawn
// `plain`: what a step costs without privacy, of the same optimizer. `clipped`: lots and clipping, zeros for noise. `drawn`: with noise.
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createInitialWeights } from '#site/model/index.ts';
import { createBatchOrder } from '#site/training/batch-order.ts';
import { loadEngine } from '#site/training/engine.ts';
import { createOptimizer } from '#site/training/optimizer.ts';
import { startNoise } from '#site/training/private/noise-ahead.ts';
import { createPrivateRunner } from '#site/training/private/private-runner.ts';
import { createStepRunner } from '#site/training/step-runner.ts';
import { residentTensors, trainedModel } from '#site/training/trained-model.ts';
import { uploadJob } from '#site/training/uploaded-job.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';
import { type BenchModelName, benchModels } from '../training/bench-models.ts';
import { chooseThreads, generateExamples } from '../training/bench-run.ts';

const [model, batch, examples, duration, mode] = process.argv.slice(2);
const name = model as BenchModelName;
const [batchSize, exampleCount] = [Number(batch), Number(examples)];
chooseThreads(name);
const { tf } = await loadEngine(undefined);
const specification = benchModels[name];
const weights = createInitialWeights(specification);
const job = uploadJob(tf, {
  model: specification,
  weights,
  examples: generateExamples(specification, exampleCount),
});
const optimizer = createOptimizer(
  tf,
  { kind: 'sgd', learningRate: 0.01 },
  { variables: job.model.variables, state: { iterationCount: 0, slots: [] } },
);
const common = {
  optimizer,
  examples: residentTensors(job.examples),
  drawDropoutMasks: () => [],
  stepCount: Number.POSITIVE_INFINITY,
};
/** Takes some steps and says how many. */
const advance = mode === 'plain' ? plainSteps() : privateSteps();
for (let warmUp = 0; warmUp < 5; warmUp += 1) await advance();
const started = beginMeasured();
const endsAt = performance.now() + 1000 * Number(duration);
let stepCount = 0;
while (performance.now() < endsAt) stepCount += await advance();
reportMeasured(started, { amount: stepCount });

function plainSteps(): () => Promise<number> {
  const runner = createStepRunner(tf, {
    ...common,
    model: trainedModel(tf, job.model),
    training: {},
    batchSize,
  });
  const keystream = createKeystream(new Uint8Array(32));
  const order = createBatchOrder({ exampleCount, batchSize, keystream, remaining: new Uint32Array(0) });
  let step = 1;
  return async () => {
    const { stepsPerRun } = runner;
    await runner.run(
      Array.from({ length: stepsPerRun }, () => order.next()),
      step,
    );
    step += stepsPerRun;
    return stepsPerRun;
  };
}

/** Lots that nearly always fit into one run of the batch's size: four deviations below it on average. */
function privateSteps(): () => Promise<number> {
  const samplingRate = batchSize / exampleCount;
  const weightCount = job.model.variables.reduce((sum, { size }) => sum + size, 0);
  const noise = startNoise(weightCount, 1);
  const runner = createPrivateRunner(tf, {
    ...common,
    model: job.model,
    exampleCount,
    subjects: undefined,
    privacy: { clippingNorm: 1, noiseMultiplier: 1, samplingRate },
    training: { batchSize: Math.ceil(batchSize + 3 * Math.sqrt(batchSize)) },
    draw: mode === 'clipped' ? (count) => new Float64Array(count) : noise.draw,
  });
  let step = 1;
  return async () => {
    runner.step(step);
    step += 1;
    return 1;
  };
}
