// A site reduced to its store and its engine, for tests that kill it: trains one job under a recorded run and keeps its checkpoints.
// Arguments: the file of the store. Says `checkpoint` and `done` to its parent.
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { openAuditLog } from '#site/audit/index.ts';
import { createInitialWeights } from '#site/model/index.ts';
import type { TrainingJob } from '#site/ports.ts';
import { openStore, type Store } from '#site/store/index.ts';
import {
  createTrainingHost,
  finishTrainingRun,
  openForkedChannel,
  saveTrainingCheckpoint,
  startTrainingRun,
} from '#site/training/index.ts';
import { sampleExamples, sampleModel } from './model-samples.ts';

const actor = { name: 'Ina Vest', role: 'investigator' as const };
const model = sampleModel('mlp');

/** The job that the killed site trains; with the run's seed. */
export function killedSiteJob(seed: Uint8Array): TrainingJob {
  return {
    model,
    training: { optimizer: { kind: 'adam', learningRate: 0.01 }, batchSize: 16, localUpdates: 60_000 },
    weights: createInitialWeights(model),
    examples: sampleExamples(model, 90),
    seed,
    optimizerState: null,
  };
}

export function openKilledSiteStore(file: string): Store {
  return openStore({ file, key: new Uint8Array(32).fill(4), clock: { nowMs: () => 1_800_000_000_000 } });
}

/** Runs the job to its end, from the checkpoint of an earlier process where there is one. */
export async function trainInStore(store: Store, onCheckpoint: () => void) {
  const signer = createSigningKey(new Uint8Array(32).fill(3));
  const origin = 'test.example/site/log';
  const auditLog = openAuditLog({ store, signer, origin, bootId: 'boot', softwareVersion: '0' });
  const host = createTrainingHost({ openChannel: openForkedChannel, checkpointIntervalMs: 100 });
  try {
    const { runId, seed, checkpoint } = startTrainingRun({
      store,
      auditLog,
      actor,
      kind: 'training',
      researchStudyId: 'heart-disease',
      round: 1,
      attempt: 1,
      cohortId: 'cohort',
      seed: crypto.getRandomValues(new Uint8Array(32)),
      engine: await host.engine(),
    });
    const job = killedSiteJob(seed ?? new Uint8Array(32));
    const result = await host.train(job, {
      signal: new AbortController().signal,
      onProgress: () => {},
      checkpoint,
      onCheckpoint: (made) => {
        saveTrainingCheckpoint(store, runId, made);
        onCheckpoint();
      },
    });
    const outcome = { state: 'done', tensors: result.optimizerState, result: {} } as const;
    finishTrainingRun({ store, auditLog, actor, kind: 'training', runId, outcome });
    return { result, seed: job.seed, resumed: checkpoint !== null };
  } finally {
    await host.close();
  }
}

const [, , file] = process.argv;
if (process.send !== undefined && file?.endsWith('.killed.db')) {
  const store = openKilledSiteStore(file);
  await trainInStore(store, () => process.send?.('checkpoint'));
  process.send?.('done');
}
