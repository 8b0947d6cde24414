// Trains one network for some seconds and reports how many examples that were. Run by the bench as a process of its own:
// training-child.ts MODEL BATCH-SIZE EXAMPLE-COUNT SECONDS graph|eager
import { loadEngine } from '#site/training/engine.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';
import type { BenchModelName } from './bench-models.ts';
import { chooseThreads, startBenchRun } from './bench-run.ts';

const [model, batch, examples, duration, execution] = process.argv.slice(2);
const name = model as BenchModelName;
chooseThreads(name);
const { tf } = await loadEngine(undefined);
const batchSize = Number(batch);
const run = startBenchRun(tf, {
  name,
  batchSize,
  exampleCount: Number(examples),
  execution: execution as 'graph' | 'eager',
});
for (let warmUp = 0; warmUp < 3; warmUp += 1) await run.advance();
const started = beginMeasured();
const endsAt = performance.now() + 1000 * Number(duration);
let [stepCount, loss] = [0, 0];
while (performance.now() < endsAt) {
  loss = await run.advance();
  stepCount += run.runner.stepsPerRun;
}
if (!Number.isFinite(loss)) throw new Error('the loss is no number');
reportMeasured(started, { amount: stepCount * batchSize });
